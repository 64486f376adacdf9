extension Executor {
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
        let metrics = train(
            Pass(count: labels.count, isTraining: true, seed: seed, step: step, optimizer: optimizer),
            images: images, labels: labels)
        bound.update(with: optimizer)
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
        forward(pass, images: images)
        let metrics = loss(labels: labels, isTraining: true)
        stepTimer?.lap(.loss)
        backward(pass, downTo: plan.frozenSteps)
        return metrics
    }
}
