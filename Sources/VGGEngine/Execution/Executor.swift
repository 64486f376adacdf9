import VGGModel

/// Runs a plan on a device: decides what is called when. The device's memory is reserved once, when the executor
/// is made.
///
/// Results are bit-identical for every number of threads. An executor is for one thread of the caller at a
/// time and is therefore not `Sendable`.
public final class Executor {
    public let plan: Plan
    let bound: any BoundPlan
    /// Whether the optimiser's momentum was ever used; until then it is zero and its memory not paid for.
    var hasMomentum = false
    /// The backward pass whose gradients are all stored; nil where there are none.
    var storedPass: Pass?
    /// Set while a benchmark wants to know where the time goes.
    var stepTimer: StepTimer?

    /// Whether others read the same weights, which then stay as they are.
    let sharesWeights: Bool

    /// - Throws: `PlanError.outOfMemory` if the memory cannot be reserved.
    public convenience init(plan: Plan, device: Device) throws(PlanError) {
        self.init(plan: plan, try device.backend.bind(plan), sharesWeights: false)
    }

    init(plan: Plan, _ bound: any BoundPlan, sharesWeights: Bool) {
        self.plan = plan
        self.bound = bound
        self.sharesWeights = sharesWeights
    }

    /// The logits of `count` images in inference mode.
    /// - Parameters:
    ///   - images: [count, height, width, channels].
    ///   - count: at most the plan's batch size.
    /// - Returns: [count, classes].
    public func logits(images: [Float], count: Int) -> [Float] {
        precondition(plan.network.head != nil, "a network without a classifier has no logits")
        forward(Pass(SumTree(images: count), isTraining: false), images: images)
        return bound.output(of: plan.steps.count - 1, count: count)
    }

    /// Loss and accuracy of a batch in inference mode.
    /// - Parameters:
    ///   - images: [count, height, width, channels], count at most the plan's batch size.
    ///   - labels: one an image, 0 ..< classes.
    public func evaluate(images: [Float], labels: [Int32]) -> BatchMetrics {
        let pass = Pass(SumTree(images: labels.count), isTraining: false)
        forward(pass, images: images)
        return loss(labels: labels, pass)
    }

    /// Runs the steps. Calls `visit` after each.
    func forward(_ pass: Pass, images: [Float], visit: (_ step: Int) -> Void = { _ in }) {
        precondition(
            (1...plan.batchSize).contains(pass.count), "a batch must have 1 to \(plan.batchSize) images")
        precondition(
            images.count == pass.count * plan.network.input.count, "the images do not fit the plan's input")
        bound.write(images: images, count: pass.count)
        stepTimer?.lap(.input)
        let inference = Pass(pass.node, isTraining: false)
        for (index, step) in plan.steps.enumerated() {
            bound.forward(index, step.mode == .training ? pass : inference)
            stepTimer?.lap(.forward(index))
            visit(index)
        }
    }

    /// Passes the gradient of the logits back through the steps from the last to `first`.
    func backward(_ pass: Pass, downTo first: Int) {
        for index in (first..<plan.steps.count).reversed() {
            bound.backward(index, pass)
            stepTimer?.lap(.backward(index))
        }
    }

    /// The metrics of the batch whose logits have just been made; for training with their gradient.
    func loss(labels: [Int32], _ pass: Pass) -> BatchMetrics {
        precondition(labels.count == pass.count, "there must be one label an image")
        let classes = plan.network.output.count
        for label in labels {
            precondition(
                (0..<classes).contains(Int(label)), "label \(label) is not one of \(classes) classes")
        }
        return bound.loss(labels: labels, pass)
    }
}
