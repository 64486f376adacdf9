import VGGModel

/// Runs a plan on a device: decides what is called when. The device's memory is reserved once, when the executor
/// is made.
///
/// Results are bit-identical for every number of threads. An executor is for one thread of the caller at a
/// time and is therefore not `Sendable`. It takes batches of the plan's input, of at most the plan's size; others are
/// the caller's mistake, and end the program.
public final class Executor {
    /// What is run.
    public let plan: Plan
    let bound: any BoundPlan
    /// Updates since the optimiser's state began.
    var updates = 0
    /// Whether the optimiser's averages were ever used; until then they are zero and their memory not paid for.
    var (hasMomentum, hasSecondMoment) = (false, false)
    /// Whether an average of the weights is kept.
    var hasAverage = false
    /// The backward pass whose gradients are all stored; nil where there are none.
    var storedPass: Pass?
    /// Set while a benchmark wants to know where the time goes.
    var stepTimer: StepTimer?

    /// Whether others read the same weights, which then stay as they are.
    let sharesWeights: Bool

    /// - Throws: `PlanError.outOfMemory` if the memory cannot be reserved, `.precision`, `.layer` or `.device` if the device
    ///   cannot run the plan.
    public convenience init(plan: Plan, device: Device) throws(PlanError) {
        try device.check(plan)
        self.init(plan: plan, try device.backend.bind(plan), sharesWeights: false)
    }

    package init(plan: Plan, _ bound: any BoundPlan, sharesWeights: Bool) {
        self.plan = plan
        self.bound = bound
        self.sharesWeights = sharesWeights
    }

    /// Waits until the device has done all that it was told.
    /// - Throws: what has gone wrong there since the executor was made: what was returned since then means nothing.
    public func finish() throws(DeviceError) {
        bound.finish()
        try checkDevice()
    }

    /// - Throws: what has gone wrong on the device, as far as anybody knows without waiting.
    public func checkDevice() throws(DeviceError) {
        if let failure = bound.failure { throw failure }
    }

    /// The logits of images in inference mode.
    /// - Returns: [count, classes].
    public func logits(_ images: ImageBatch) -> [Float] {
        precondition(plan.network.head != nil, "a network without a classifier has no logits")
        forward(Pass(SumTree(images: images.count), isTraining: false), images)
        return bound.output(of: plan.steps.count - 1, count: images.count)
    }

    /// Loss and accuracy of images in inference mode.
    /// - Parameter images: with labels, 0 ..< classes.
    public func evaluate(_ images: ImageBatch) -> BatchMetrics { evaluateWithLogits(images).metrics }

    /// The same, and the logits that it follows from, [count, classes].
    public func evaluateWithLogits(_ images: ImageBatch) -> (metrics: BatchMetrics, logits: [Float]) {
        evaluateWithLogits(images, of: SumTree(images: images.count))
    }

    /// The same of a part of a batch: the parts' metrics, added as the tree says, are to the bit those of the batch.
    package func evaluateWithLogits(_ images: ImageBatch, of node: SumTree) -> (
        metrics: BatchMetrics, logits: [Float]
    ) {
        precondition(images.count == node.images.count, "the images are those of another part of the batch")
        let pass = Pass(node, isTraining: false)
        forward(pass, images)
        let metrics = loss(images, pass).metrics()
        return (metrics, bound.output(of: plan.steps.count - 1, count: images.count))
    }

    /// Runs the steps. Calls `visit` after each.
    func forward(_ pass: Pass, _ images: ImageBatch, visit: (_ step: Int) -> Void = { _ in }) {
        precondition(images.count <= plan.batchSize, "a batch must have 1 to \(plan.batchSize) images")
        precondition(images.shape == plan.network.input, "the images do not fit the plan's input")
        stepTimer?.begin()
        bound.write(images)
        lap(.input)
        let inference = Pass(pass.node, isTraining: false)
        for (index, step) in plan.steps.enumerated() {
            bound.forward(index, step.mode.hasBackward ? pass : inference)
            lap(.forward(index))
            visit(index)
        }
    }

    /// Passes the gradient of the logits back through the steps from the last to `first`.
    func backward(_ pass: Pass, downTo first: Int) {
        for index in (first..<plan.steps.count).reversed() {
            bound.backward(index, pass)
            lap(.backward(index))
            announceGradients(of: index, pass)
        }
    }

    /// Tells those who exchange gradients, if any do, which are complete.
    func announceGradients(of step: Int, _ pass: Pass) {
        guard let exchange = pass.exchange else { return }
        let ranges = bound.gradientsMade(by: step)
        guard !ranges.isEmpty else { return }
        bound.withGradients { gradients in
            gradients.withUnsafeMutableBufferPointer { exchange.gradientsAreMade(ranges, of: $0, pass.node) }
        }
    }

    /// The metrics of the images whose logits have just been made; for training with their gradient.
    func loss(_ images: ImageBatch, _ pass: Pass) -> PendingMetrics {
        guard let labels = images.labels else { preconditionFailure("a loss is of images with labels") }
        let classes = plan.network.output.count
        for label in labels + (images.partners ?? []).map(\.label) {
            precondition(
                (0..<classes).contains(Int(label)), "label \(label) is not one of \(classes) classes")
        }
        precondition(
            pass.loss.classWeights.map { $0.count == classes } ?? true, "each class has a weight, or none has"
        )
        return bound.loss(labels: labels, partners: images.partners, pass)
    }
}
