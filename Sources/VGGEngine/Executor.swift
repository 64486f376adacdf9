import CVGGKernels
import VGGModel

/// What a batch gave.
public struct BatchMetrics: Hashable, Sendable {
    /// The sum of the examples' cross-entropy losses.
    public var lossSum: Double
    /// Examples whose largest logit is their label's.
    public var correct: Int
    public var count: Int

    package init(lossSum: Double, correct: Int, count: Int) {
        self.lossSum = lossSum
        self.correct = correct
        self.count = count
    }
}

/// Runs a plan: owns its parameters and the memory the plan laid out, reserved once when it is made.
///
/// Results are bit-identical for every number of threads. An executor is for one thread of the caller at a
/// time and is therefore not `Sendable`.
public final class Executor {
    public let plan: Plan
    let map: ParameterMap
    let values: Buffer
    let gradientValues: Buffer
    /// Touched by optimisers with momentum alone, and until then not paid for.
    let momentumValues: Buffer
    var hasMomentum = false
    /// Set while a benchmark wants to know where the time goes.
    var stepTimer: StepTimer?
    let version = ParameterVersion()
    /// Of the frozen parameters, which only new weights change.
    let frozenVersion = ParameterVersion()

    let context: StepContext
    private let steps: [any Step]
    private let activations: Buffer
    private let activationOffsets: [Int]
    private let gradients: Buffer
    private let gradientOffsets: [Int]
    private let scratch: Buffer

    /// - Parameter instructionSet: the kernels to use, if the processor has them, else the best it has; a
    ///   test may ask for less.
    /// - Throws: `PlanError.outOfMemory` if the memory cannot be reserved.
    public init(
        plan: Plan, device: Device = .best, instructionSet: InstructionSet = .best
    ) throws(PlanError) {
        self.plan = plan
        map = ParameterMap(steps: plan.steps)
        let isTraining = plan.mode == .training
        values = try Buffer(floats: map.total)
        gradientValues = try Buffer(floats: isTraining ? map.trained : 0)
        momentumValues = try Buffer(floats: isTraining ? map.trained : 0)
        let instructionSet = min(instructionSet, .available)
        let workers = Workers(threads: max(1, device.threads))

        let needed = StepScratch.most(of: plan)
        scratch = try Buffer(bytes: needed.shared + needed.worker * workers.threads)
        let activationMemory = plan.activationOffsets
        activationOffsets = activationMemory.offsets
        activations = try Buffer(bytes: activationMemory.total)
        let gradientMemory = plan.gradientOffsets
        gradientOffsets = gradientMemory.offsets
        gradients = try Buffer(bytes: gradientMemory.total)

        let context = StepContext(
            kernels: instructionSet.kernels, mixedKernels: instructionSet.mixedKernels, workers: workers,
            version: version, shared: scratch.memory, scratch: scratch.memory + needed.shared,
            scratchStride: needed.worker)
        self.context = context
        let (map, values, gradientValues, frozenVersion) = (map, values, gradientValues, frozenVersion)
        steps = try plan.steps.map { step throws(PlanError) in
            let entries = map.entries[step.firstParameter...].prefix(step.parameterLayouts.count)
            let isFrozen = isTraining && step.mode == .inference
            return try step.bound(
                to: BoundParameters(
                    buffer: values.floats, offsets: entries.map(\.offset),
                    gradientBuffer: isTraining ? gradientValues.floats : nil),
                context: isFrozen ? context.with(frozenVersion) : context, plan: plan)
        }
    }

    /// The logits of `count` images in inference mode.
    /// - Parameters:
    ///   - images: [count, height, width, channels].
    ///   - count: at most the plan's batch size.
    /// - Returns: [count, classes].
    public func logits(images: [Float], count: Int) -> [Float] {
        precondition(plan.network.head != nil, "a network without a classifier has no logits")
        let output = forward(Pass(count: count, isTraining: false), images: images)
        let stride = plan.steps[plan.steps.count - 1].output.imageStride
        return (0..<count).flatMap { image in
            UnsafeBufferPointer(start: output + image * stride, count: plan.network.output.count)
        }
    }

    /// Loss and accuracy of a batch in inference mode.
    /// - Parameters:
    ///   - images: [count, height, width, channels], count at most the plan's batch size.
    ///   - labels: one an image, 0 ..< classes.
    public func evaluate(images: [Float], labels: [Int32]) -> BatchMetrics {
        let output = forward(Pass(count: labels.count, isTraining: false), images: images)
        return metrics(of: output, labels: labels, gradient: nil)
    }

    /// Forward, backward and update with one batch.
    /// - Parameters:
    ///   - images: [count, height, width, channels], count at most the plan's batch size.
    ///   - labels: one an image, 0 ..< classes.
    ///   - seed: chooses the dropout masks, together with `step`.
    ///   - step: counts from 0 over the whole training.
    /// - Returns: what the batch gave before the update.
    public func trainingStep(
        images: [Float], labels: [Int32], optimizer: SGD, seed: UInt64 = 0, step: Int = 0
    ) -> BatchMetrics {
        if optimizer.momentum != 0 { hasMomentum = true }
        let update = Update(
            optimizer: optimizer, momentum: optimizer.momentum != 0 ? momentumValues.floats : nil)
        let metrics = train(
            Pass(count: labels.count, isTraining: true, seed: seed, step: step, update: update),
            images: images, labels: labels)
        let head = map.headBias
        for (part, update) in [(0..<head.lowerBound, update), (head, update.ofHead)] {
            context.workers.run(over: part.count, grain: 4096) { range, _ in
                let offset = part.lowerBound + range.lowerBound
                update.apply(
                    context.kernels, gradients: gradientValues.floats + offset, values: values.floats,
                    offset: offset, count: range.count)
            }
        }
        version.advance()
        stepTimer?.lap(.update)
        return metrics
    }

    /// Forward and backward with one batch: leaves the gradients of the batch's mean loss in `gradientTensors`.
    public func backward(images: [Float], labels: [Int32], seed: UInt64 = 0, step: Int = 0) -> BatchMetrics {
        train(
            Pass(count: labels.count, isTraining: true, seed: seed, step: step), images: images,
            labels: labels)
    }

    private func train(_ pass: Pass, images: [Float], labels: [Int32]) -> BatchMetrics {
        precondition(plan.mode == .training, "an inference plan keeps nothing that could be trained from")
        let output = forward(pass, images: images)
        let last = gradient(steps.count).assumingMemoryBound(to: Float.self)
        let metrics = metrics(of: output, labels: labels, gradient: last)
        stepTimer?.lap(.loss)
        backward(pass, downTo: plan.frozenSteps)
        return metrics
    }

    /// Passes the gradient of the logits back through the steps from the last to `first`.
    func backward(_ pass: Pass, downTo first: Int) {
        for index in (first..<steps.count).reversed() {
            var pass = pass
            if index == steps.count - 1 { pass.update = pass.update?.ofHead }
            steps[index].backward(
                pass, x: activation(index), y: activation(index + 1), gradient: gradient(index + 1),
                inputGradient: plan.steps[index].needsInputGradient ? gradient(index) : nil)
            stepTimer?.lap(.backward(index))
        }
    }

    /// The activation before step `index`.
    func activation(_ index: Int) -> Memory { activations.memory + activationOffsets[index] }

    /// The gradient of that activation.
    func gradient(_ index: Int) -> Memory { gradients.memory + gradientOffsets[index] }

    /// Runs the steps and returns the last one's output. Calls `visit` after each step.
    func forward(_ pass: Pass, images: [Float], visit: (_ step: Int) -> Void = { _ in }) -> Floats {
        let input = plan.steps[0].input
        precondition(
            (1...plan.batchSize).contains(pass.count), "a batch must have 1 to \(plan.batchSize) images")
        precondition(images.count == pass.count * input.count, "the images do not fit the plan's input")
        images.withUnsafeBufferPointer { images in
            guard let images = images.baseAddress else { return }
            context.workers.run(pass.count) { image, _ in
                let target = activation(0) + image * input.imageStride * input.element.size
                input.zeroBorder(target)
                for row in 0..<input.height {
                    input.element.store(
                        images + image * input.count + row * input.plain.rowStride,
                        to: target + (input.interior + row * input.rowStride) * input.element.size,
                        count: input.plain.rowStride, context.mixedKernels)
                }
            }
        }
        stepTimer?.lap(.input)
        let inference = Pass(count: pass.count, isTraining: false)
        for index in steps.indices {
            let pass = plan.steps[index].mode == .training ? pass : inference
            steps[index].forward(pass, x: activation(index), y: activation(index + 1))
            stepTimer?.lap(.forward(index))
            visit(index)
        }
        return activation(steps.count).assumingMemoryBound(to: Float.self)
    }

    /// Sums the losses and, unless `gradient` is nil, writes the gradient of their mean: [count, classes].
    private func metrics(of output: Floats, labels: [Int32], gradient: Floats?) -> BatchMetrics {
        let classes = plan.network.output.count
        let stride = plan.steps[plan.steps.count - 1].output.imageStride
        var metrics = BatchMetrics(lossSum: 0, correct: 0, count: labels.count)
        for (image, label) in labels.enumerated() {
            precondition(
                (0..<classes).contains(Int(label)), "label \(label) is not one of \(classes) classes")
            let logits = UnsafeBufferPointer(start: output + image * stride, count: classes)
            metrics.lossSum += vgg_softmax_cross_entropy(
                logits.baseAddress, classes, label, 1 / Float(labels.count),
                gradient.map { $0 + image * classes })
            if logits.indices.max(by: { logits[$0] < logits[$1] }) == Int(label) { metrics.correct += 1 }
        }
        return metrics
    }
}
