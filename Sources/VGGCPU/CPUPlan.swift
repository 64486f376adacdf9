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
    private let activations: Buffer
    private let activationOffsets: [Int]
    private let gradients: Buffer
    private let gradientPlaces: LaidOutPlan.GradientPlaces
    private let scratch: Buffer
    /// What steps keep from the forward to the backward pass.
    private let kept: Buffer

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
        kept = try Buffer(bytes: needed.kept)
        let activationMemory = layout.activationOffsets
        activationOffsets = activationMemory.offsets
        activations = try Buffer(bytes: activationMemory.total)
        gradientPlaces = layout.gradientPlaces
        gradients = try Buffer(bytes: gradientPlaces.total)

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
        var free = kept.memory
        steps = zip(layout.steps, weights.copies).map { step, copies in
            let isFrozen = isTraining && step.mode == .inference
            let kept = free
            let kind = step.kind
            free += kind.scratch(batchSize: layout.plan.batchSize, threads: threads).kept
            return kind.bound(
                to: BoundParameters(
                    buffer: weights.values.floats, offsets: map.entries[step.parameters].map(\.offset),
                    gradientBuffer: isTraining ? gradientValues.floats : nil,
                    state: isTraining ? state : nil,
                    groups: layout.plan.parameters[step.parameters].map(\.group), copies: copies),
                kept: kept, context: isFrozen ? context.with(weights.frozenVersion) : context,
                batchSize: layout.plan.batchSize)
        }
    }

    /// The activation before step `index`.
    func activation(_ index: Int) -> Memory { activations.memory + activationOffsets[index] }

    /// The gradient of that activation.
    func gradient(_ index: Int) -> Memory {
        let (offset, isInActivations) = gradientPlaces.places[index]
        return (isInActivations ? activations.memory : gradients.memory) + offset
    }

    /// The gradient of the logits, [count, classes].
    private var logitGradient: Floats { gradient(steps.count).assumingMemoryBound(to: Float.self) }

    func forward(_ step: Int, _ pass: Pass) {
        steps[step].forward(pass, x: activation(step), y: activation(step + 1))
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

    func loss(labels: [Int32], partners: [MixingPartner]?, _ pass: Pass) -> BatchMetrics {
        context.workers.loss(
            logits: activation(steps.count).assumingMemoryBound(to: Float.self),
            stride: layout.steps[steps.count - 1].output.imageStride,
            classes: layout.plan.network.output.count, labels: labels, partners: partners, pass,
            gradient: pass.isTraining ? logitGradient : nil)
    }
}
