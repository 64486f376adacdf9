import VGGModel

/// What happens to gradients between the backward pass and the update, as where several machines train together: each
/// has a part of a batch and goes on with the gradients of all.
public protocol GradientExchange {
    /// - Parameter gradients: of the mean loss of this executor's batch, for all trained parameters in a row, in an order
    ///   and with gaps that are the same on every device of the same kind with the same plan. What they are replaced by, the update
    ///   takes.
    mutating func exchange(_ gradients: inout MutableSpan<Float>) throws
}

/// A training step is three calls: `backward`, `exchangeGradients` and `update`. `trainingStep` is the first and the last
/// in one; then the weights of linear layers, nearly all of a VGG's, may be updated as their gradients are made, and
/// these are never stored.
extension Executor {
    /// Forward, backward and update with one batch.
    /// - Parameters:
    ///   - images: with labels, 0 ..< classes.
    ///   - seed: chooses the dropout masks, together with `step`.
    ///   - step: counts from 0 over the whole training.
    /// - Returns: what the batch gave before the update.
    public func trainingStep(
        _ images: ImageBatch, optimizer: Optimizer, seed: UInt64 = 0, step: Int = 0,
        loss: CrossEntropy = CrossEntropy()
    ) -> BatchMetrics {
        beginTrainingStep(images, optimizer: optimizer, seed: seed, step: step, loss: loss).metrics()
    }

    /// The same, without waiting for the device: the next step may begin before the metrics of this one are known.
    package func beginTrainingStep(
        _ images: ImageBatch, optimizer: Optimizer, seed: UInt64 = 0, step: Int = 0,
        loss: CrossEntropy = CrossEntropy()
    ) -> PendingMetrics {
        let pass = Pass(
            SumTree(images: images.count), isTraining: true, seed: seed, step: step, update: next(optimizer),
            loss: loss)
        let metrics = train(pass, images)
        update(with: optimizer, after: pass)
        return metrics
    }

    /// Forward and backward with one batch: leaves the gradients of the batch's mean loss in `gradientTensors`.
    public func backward(
        _ images: ImageBatch, seed: UInt64 = 0, step: Int = 0, loss: CrossEntropy = CrossEntropy()
    ) -> BatchMetrics {
        backward(images, of: SumTree(images: images.count), seed: seed, step: step, loss: loss).metrics()
    }

    /// The same with a part of a batch: leaves its part of the gradients of the whole batch's mean loss. The parts' gradients,
    /// added as the tree says, are to the bit those of the batch.
    /// - Parameters:
    ///   - node: the part, whose images these are.
    ///   - exchange: the others, where batch norm is to take the statistics of the whole batch, and not of the part.
    package func backward(
        _ images: ImageBatch, of node: SumTree, seed: UInt64 = 0, step: Int = 0,
        loss: CrossEntropy = CrossEntropy(), exchange: (any BatchExchange)? = nil
    ) -> PendingMetrics {
        train(Pass(node, isTraining: true, seed: seed, step: step, loss: loss, exchange: exchange), images)
    }

    /// The same with a part that has no images, which the end of an epoch may leave: its gradients are those that an exchange
    /// puts there.
    package func skipBackward(
        of node: SumTree, seed: UInt64 = 0, step: Int = 0, loss: CrossEntropy = CrossEntropy(),
        exchange: (any BatchExchange)? = nil
    ) {
        precondition(node.images.isEmpty, "the images of a part are not left out")
        let pass = Pass(node, isTraining: true, seed: seed, step: step, loss: loss, exchange: exchange)
        for index in (plan.frozenSteps..<plan.steps.count).reversed() { announceGradients(of: index, pass) }
        storedPass = pass
    }

    /// Gives the gradients that `backward` has left to an exchange, which may change them.
    /// - Throws: what the exchange throws; the gradients are then in no known state.
    public func exchangeGradients(with exchange: inout some GradientExchange) throws {
        precondition(storedPass != nil, "there are no gradients before a backward pass")
        try bound.withGradients { gradients in try exchange.exchange(&gradients) }
    }

    /// Makes the gradients that `backward` has left shorter where together they are too long: torch's `clip_grad_norm_`.
    /// - Parameter maxNorm: the greatest Euclidean norm of all of them.
    /// - Returns: the norm before.
    @discardableResult
    public func clipGradients(to maxNorm: Float) -> Double {
        precondition(storedPass != nil, "there are no gradients before a backward pass")
        return bound.clipGradients(to: maxNorm)
    }

    /// Updates the parameters by the gradients that `backward` has left.
    public func update(with optimizer: Optimizer) {
        guard let storedPass else { preconditionFailure("there are no gradients before a backward pass") }
        update(with: optimizer, after: storedPass)
    }

    /// The optimiser's next update.
    private func next(_ optimizer: Optimizer) -> ParameterUpdate {
        ParameterUpdate(optimizer, number: updates + 1)
    }

    private func update(with optimizer: Optimizer, after pass: Pass) {
        if pass.update == nil { stepTimer?.begin() }
        if optimizer.average != nil, !hasAverage { beginAverage() }
        bound.update(next(optimizer), after: pass)
        updates += 1
        if optimizer.hasMomentum { hasMomentum = true }
        if optimizer.hasSecondMoment { hasSecondMoment = true }
        lap(.update)
    }

    private func train(_ pass: Pass, _ images: ImageBatch) -> PendingMetrics {
        precondition(plan.mode == .training, "an inference plan keeps nothing that could be trained from")
        precondition(images.count == pass.count, "the images are those of another part of the batch")
        // Before weights are updated with their gradients.
        if pass.update?.optimizer.average != nil, !hasAverage { beginAverage() }
        forward(pass, images)
        let metrics = loss(images, pass)
        lap(.loss)
        backward(pass, downTo: plan.frozenSteps)
        storedPass = pass.update == nil ? pass : nil
        return metrics
    }
}
