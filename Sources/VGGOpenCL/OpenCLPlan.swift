import VGGEngine
import VGGModel

/// A plan in a device's memory. Batches go there, and what they gave comes back.
package final class OpenCLPlan: BoundPlan {
    private let plan: Plan
    package let queue: OpenCLQueue
    private let weights: OpenCLWeights
    private let training: TrainingState?
    private let steps: [any Step]
    /// The input and every step's output, and the gradients of these that there are.
    private let activations: [OpenCLBuffer]
    private let gradients: [OpenCLBuffer?]
    private let scratch: OpenCLBuffer
    /// Images that came last, in 32 bits. The input itself may be in use when they come.
    private let images: OpenCLBuffer
    /// Whether the copies of the parameters that products read are those of the parameters as they are.
    private var hasCurrentCopies: Bool
    /// nil where the network has no classifier.
    private let loss: OpenCLLoss?

    /// - Parameter shared: nil for weights of its own.
    /// - Throws: `PlanError.outOfMemory`.
    init(_ plan: Plan, _ shared: OpenCLWeights?, _ queue: OpenCLQueue) throws(PlanError) {
        let layout = OpenCLLayout(plan)
        let weights = if let shared { shared } else { try OpenCLWeights(plan, queue) }
        let training = plan.mode == .training ? try TrainingState(plan, weights, queue) : nil
        scratch = try OpenCLBuffer(bytes: layout.scratch, queue.context, queue)
        images = try OpenCLBuffer(bytes: layout.images, queue.context, queue)
        loss = try layout.loss.map { layout throws(PlanError) in
            try OpenCLLoss(layout, classes: plan.network.output.count, queue)
        }
        activations = try Self.buffers(layout.activations, queue).compactMap(\.self)
        gradients = try Self.buffers(layout.gradients, queue)
        var steps: [any Step] = []
        for (step, kind) in zip(plan.steps, layout.steps) {
            let context = StepContext(
                step: step, queue: queue, values: Array(weights.parameters[step.parameters]),
                copies: weights.copies == nil ? [] : Array(weights.copiedParameters[step.parameters]),
                kept: try Self.buffers(kind.memory.kept, queue), scratch: scratch, training: training,
                firstParameter: step.parameters.lowerBound)
            steps.append(kind.bound(context))
        }
        self.steps = steps
        self.plan = plan
        self.queue = queue
        self.weights = weights
        hasCurrentCopies = shared != nil
        self.training = training
    }

    private static func buffers(_ sizes: [Int], _ queue: OpenCLQueue) throws(PlanError) -> [OpenCLBuffer] {
        var buffers: [OpenCLBuffer] = []
        for size in sizes { buffers.append(try OpenCLBuffer(bytes: size, queue.context, queue)) }
        return buffers
    }

    private static func buffers(
        _ regions: OpenCLLayout.Regions, _ queue: OpenCLQueue
    ) throws(PlanError) -> [OpenCLBuffer?] {
        let buffers = try buffers(regions.sizes, queue)
        return regions.places.map { $0.map { buffers[$0] } }
    }

    package func write(_ images: ImageBatch) {
        makeCopies()
        let count = images.values.count
        var parts = [(numbers: images.values, buffer: self.images)]
        if let loss, images.labels != nil { parts.append((OpenCLLoss.targets(of: images), loss.arriving)) }
        queue.upload(parts) {
            switch plan.steps[0].input.element {
            case .float32: queue.copy(self.images, to: activations[0])
            case .bfloat16:
                queue.numbers("round_numbers", count, UInt64(count), self.images, activations[0])
            }
            if images.labels != nil { loss?.takeTargets() }
        }
    }

    /// In mixed precision, of the parameters as they are.
    private func makeCopies() {
        if !hasCurrentCopies { weights.copy(by: queue) }
        hasCurrentCopies = true
    }

    package func forward(_ step: Int, _ pass: Pass) {
        steps[step].forward(pass, x: activations[step], y: activations[step + 1])
    }

    package func backward(_ step: Int, _ pass: Pass) {
        guard let gradient = gradients[step + 1] else { return }
        steps[step].backward(
            pass, x: activations[step], y: activations[step + 1], gradient: gradient,
            dx: plan.steps[step].needsInputGradient ? gradients[step] : nil)
    }

    package func loss(labels: [Int32], partners: [MixingPartner]?, _ pass: Pass) -> PendingMetrics {
        guard let loss else { preconditionFailure("a network without a classifier has no loss") }
        return loss.metrics(
            of: activations[steps.count], labels: labels, pass,
            gradient: pass.isTraining ? gradients[steps.count] : nil)
    }

    package func writeGradient(_ numbers: [Float], of step: Int, count: Int, adding: Bool) {
        guard let target = gradients[step + 1] else { return }
        queue.write(
            adding ? zip(gradient(of: step, count: count), numbers).map { $0 + $1 } : numbers, to: target)
    }

    package func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        try training?.withGradients(body)
    }

    package func clipGradients(to maxNorm: Float) -> Double {
        training?.clipGradients(to: maxNorm, scratch) ?? 0
    }

    package func update(_ update: ParameterUpdate, after pass: Pass) {
        training?.update(update, after: pass)
        hasCurrentCopies = false
        queue.begin()
    }

    package func output(of step: Int, count: Int) -> [Float] {
        let output = plan.steps[step].output
        return queue.read(count * output.count, of: output.element, from: activations[step + 1])
    }

    package func gradient(of step: Int?, count: Int) -> [Float] {
        let map = step.map { plan.steps[$0].output } ?? plan.steps[0].input
        let numbers = count * map.count
        return gradients[step.map { $0 + 1 } ?? 0].map { queue.read(numbers, of: map.element, from: $0) }
            ?? Array(repeating: 0, count: numbers)
    }

    private func buffer(_ content: ParameterContent, of parameter: Int) -> OpenCLBuffer? {
        content == .value ? weights.parameters[parameter] : training?.buffer(content, of: parameter)
    }

    package func read(_ content: ParameterContent, of parameter: Int) -> [Float] {
        let count = weights.places.counts[parameter]
        return buffer(content, of: parameter).map { queue.read(count, from: $0) }
            ?? Array(repeating: 0, count: count)
    }

    package func write(_ tensor: Tensor, to content: ParameterContent, of parameter: Int) {
        if let buffer = buffer(content, of: parameter) { queue.write(Array(tensor.values), to: buffer) }
        if content == .value { hasCurrentCopies = false }
    }

    package func shareWeights() -> any SharedWeights {
        makeCopies()
        queue.finish()
        return weights
    }

    package func clearState() { training?.clear() }

    package func beginAverage() { training?.beginAverage() }

    package func exchangeAverage() {
        training?.exchangeAverage()
        hasCurrentCopies = false
    }

    package func finish() { queue.finish() }

    package var failure: DeviceError? { queue.failure }
}
