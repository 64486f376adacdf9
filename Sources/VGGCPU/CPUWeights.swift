import VGGEngine

/// A plan's parameters, and the copies of weights that kernels read instead.
///
/// `@unchecked`: one bound plan owns the object and is for one thread; only `shareWeights` gives it to others. After that
/// nobody writes to it: `CPUPlan.write` and `update` refuse to, and the copies, which steps make again when the version of
/// the parameters has changed, are all of that version, which no longer changes.
final class CPUWeights: SharedWeights, @unchecked Sendable {
    let map: ParameterMap
    let values: Buffer
    /// Of each step, in the order of its `StepScratch.copies`.
    let copies: [[WeightCopy]]
    let version = ParameterVersion()
    /// Of the frozen parameters, which only new weights change.
    let frozenVersion = ParameterVersion()
    /// Whether others have them.
    private(set) var isShared = false

    /// - Throws: `PlanError.outOfMemory` if the memory cannot be reserved.
    init(_ plan: LaidOutPlan) throws(PlanError) {
        map = ParameterMap(plan)
        values = try Buffer(floats: map.total)
        copies = try plan.steps.map { step throws(PlanError) in
            try step.kind.scratch(batchSize: plan.plan.batchSize, threads: 1).copies
                .map { bytes throws(PlanError) in try WeightCopy(bytes: bytes) }
        }
    }

    /// The parameters have changed.
    func advance(withFrozen: Bool) {
        precondition(!isShared, "weights that are shared do not change")
        version.advance()
        if withFrozen { frozenVersion.advance() }
    }

    func share() { isShared = true }
}
