import CVGGKernels
import VGGEngine
import VGGModel

/// A plan in this machine's memory, all of which is reserved when it is made: its weights, which others may share, and
/// what belongs to one batch.
final class CPUPlan: BoundPlan {
    let layout: LaidOutPlan
    let weights: CPUWeights
    let gradientValues: Buffer
    let stateValues: (momentum: Buffer, squares: Buffer, average: Buffer)

    let state: UpdateState
    let context: StepContext
    private let steps: [any Step]
    /// Activations, their gradients, and what steps keep from the forward to the backward pass.
    private let maps: Buffer
    private let places: LaidOutPlan.Places
    private let scratch: Buffer

    /// - Throws: `PlanError.outOfMemory` if the memory cannot be reserved.
    init(
        _ layout: LaidOutPlan, _ weights: CPUWeights, threads: Int, instructionSet: InstructionSet
    ) throws(PlanError) {
        self.layout = layout
        self.weights = weights
        let map = weights.map
        let isTraining = layout.plan.mode == .training
        gradientValues = try Buffer(floats: isTraining ? map.trained : 0)
        let stateValues = (
            momentum: try Buffer(floats: isTraining ? map.trained : 0),
            squares: try Buffer(floats: isTraining ? map.trained : 0),
            average: try Buffer(floats: isTraining ? map.total : 0)
        )
        self.stateValues = stateValues

        let needed = layout.scratch(threads: threads)
        scratch = try Buffer(bytes: needed.shared + needed.worker * threads)
        let places = layout.places
        self.places = places
        let maps = try Buffer(bytes: places.total)
        self.maps = maps

        let context = StepContext(
            kernels: instructionSet.kernels, mixedKernels: instructionSet.mixedKernels,
            workers: Workers(threads: threads), version: weights.version, shared: scratch.memory,
            scratch: scratch.memory + needed.shared, scratchStride: needed.worker)
        self.context = context
        let gradientValues = gradientValues
        let state = UpdateState(
            momentum: stateValues.momentum.floats, squares: stateValues.squares.floats,
            average: stateValues.average.floats)
        self.state = state
        var steps: [any Step] = []
        for (step, (copies, kept)) in zip(layout.steps, zip(weights.copies, places.kept)) {
            let isFrozen = isTraining && step.mode == .inference
            var own = isFrozen ? context.with(weights.frozenVersion) : context
            own.source = step.remakesInput ? steps.last : nil
            let bound = step.kind.bound(
                to: BoundParameters(
                    buffer: weights.values.floats, offsets: map.entries[step.parameters].map(\.offset),
                    gradientBuffer: isTraining ? gradientValues.floats : nil,
                    state: isTraining ? state : nil,
                    groups: layout.plan.parameters[step.parameters].map(\.group), copies: copies),
                kept: maps.memory + kept, context: own, batchSize: layout.plan.batchSize)
            steps.append(bound)
        }
        self.steps = steps
    }

    /// The activation before step `index`.
    func activation(_ index: Int) -> Memory { maps.memory + places.activations[index] }

    /// The gradient of that activation.
    func gradient(_ index: Int) -> Memory { maps.memory + places.gradients[index] }

    /// The gradient of the logits, [count, classes].
    private var logitGradient: Floats { gradient(steps.count).assumingMemoryBound(to: Float.self) }

    func forward(_ step: Int, _ pass: Pass) {
        steps[step].forward(pass, x: activation(step), y: activation(step + 1))
        reflectBorder(of: step + 1, count: pass.count)
    }

    func backward(_ step: Int, _ pass: Pass) {
        steps[step].backward(
            pass, x: activation(step), y: activation(step + 1), gradient: gradient(step + 1),
            inputGradient: layout.steps[step].needsInputGradient ? gradient(step) : nil)
    }

    func shareWeights() -> any SharedWeights {
        for step in steps { step.prepare() }
        weights.share()
        return weights
    }

    func loss(labels: [Int32], partners: [MixingPartner]?, _ pass: Pass) -> PendingMetrics {
        PendingMetrics(
            context.workers.loss(
                logits: activation(steps.count).assumingMemoryBound(to: Float.self),
                stride: layout.steps[steps.count - 1].output.imageStride,
                classes: layout.plan.network.output.count, labels: labels, partners: partners, pass,
                gradient: pass.isTraining ? logitGradient : nil))
    }
}
