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
    private let gradientOffsets: [Int]
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
        let gradientMemory = layout.gradientOffsets
        gradientOffsets = gradientMemory.offsets
        gradients = try Buffer(bytes: gradientMemory.total)

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
    private func activation(_ index: Int) -> Memory { activations.memory + activationOffsets[index] }

    /// The gradient of that activation.
    private func gradient(_ index: Int) -> Memory { gradients.memory + gradientOffsets[index] }

    /// The gradient of the logits, [count, classes].
    private var logitGradient: Floats { gradient(steps.count).assumingMemoryBound(to: Float.self) }

    func write(_ images: ImageBatch) {
        let input = layout.steps[0].input
        let (width, channels) = (input.width, input.channels)
        images.values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            context.workers.run(images.count) { image, _ in
                let target = activation(0) + image * input.imageStride * input.element.size
                input.zeroBorder(target)
                withUnsafeTemporaryAllocation(of: Float.self, capacity: width * channels) { row in
                    guard let row = row.baseAddress else { return }
                    for y in 0..<input.height {
                        let first = values + image * input.count + y * width
                        for channel in 0..<channels where channels > 1 {
                            let plane = first + channel * input.height * width
                            for x in 0..<width { row[x * channels + channel] = plane[x] }
                        }
                        input.element.store(
                            channels > 1 ? UnsafePointer(row) : first,
                            to: target + (input.interior + y * input.rowStride) * input.element.size,
                            count: width * channels, context.mixedKernels)
                    }
                }
            }
        }
    }

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

    func writeGradient(_ numbers: [Float], of step: Int, count: Int, adding: Bool) {
        let output = layout.steps[step].output
        let target = gradient(step + 1).assumingMemoryBound(to: Float.self)
        let (channels, pixels) = (output.channels, output.height * output.width)
        for image in 0..<count {
            for channel in 0..<channels {
                for pixel in 0..<pixels {
                    let place = image * output.gradientStride + pixel * channels + channel
                    let number = numbers[(image * channels + channel) * pixels + pixel]
                    target[place] = adding ? target[place] + number : number
                }
            }
        }
    }

    func output(of step: Int, count: Int) -> [Float] {
        let output = layout.steps[step].output
        return numbers(activation(step + 1), output, stride: output.imageStride, count: count)
    }

    func gradient(of step: Int?, count: Int) -> [Float] {
        let map = step.map { layout.steps[$0].output } ?? layout.steps[0].input
        return numbers(
            gradient(step.map { $0 + 1 } ?? 0), map.plain, stride: map.gradientStride, count: count)
    }

    /// A batch in memory in PyTorch's order, [count, channels, height, width].
    /// - Parameter stride: numbers from one image to the next.
    private func numbers(_ memory: Memory, _ layout: ActivationLayout, stride: Int, count: Int) -> [Float] {
        var row = [Float](repeating: 0, count: layout.plain.rowStride)
        let pixels = layout.height * layout.width
        return [Float](unsafeUninitializedCapacity: count * layout.count) { values, initialized in
            for image in 0..<count {
                for y in 0..<layout.height {
                    let start = image * stride + layout.interior + y * layout.rowStride
                    row.withUnsafeMutableBufferPointer { row in
                        guard let row = row.baseAddress else { return }
                        layout.element.load(
                            memory + start * layout.element.size, to: row, count: layout.plain.rowStride,
                            context.mixedKernels)
                    }
                    for x in 0..<layout.width {
                        for channel in 0..<layout.channels {
                            values[(image * layout.channels + channel) * pixels + y * layout.width + x] =
                                row[x * layout.channels + channel]
                        }
                    }
                }
            }
            initialized = count * layout.count
        }
    }
}
