import VGGData
import VGGEngine
import VGGModel

/// A step is begun, and ended later: a device that goes on while its calls return is busy meanwhile.
extension Trainer {
    /// The rest of the epoch's batches.
    func trainingBatches() -> BatchLoader.Iterator {
        var batches = BatchLoader(
            training, setup.trainingPreparation, batchSize: configuration.batchSize,
            order: configuration.shuffle ? .shuffled(seed: configuration.seed, epoch: state.epoch) : .stored,
            seed: configuration.seed, epoch: state.epoch,
            startBatch: state.stepInEpoch * (configuration.gradAccumSteps ?? 1))
        batches.mixing = configuration.mixing?.mixing(in: state.epoch)
        batches.part = sharing?.part
        return batches.makeIterator()
    }

    /// The batches of a step, of which the first is made. Nothing is computed before all are: a step that cannot be
    /// finished leaves nothing behind.
    func wholeStep(_ first: LoadedBatch, _ batches: BatchLoader.Iterator) -> [LoadedBatch] {
        var parts = [first]
        while parts.count < configuration.gradAccumSteps ?? 1, let next = batches.next() {
            parts.append(next)
        }
        return parts
    }

    /// A step whose metrics are not in the sums yet.
    struct StepUnderWay {
        /// How many steps the training, and its epoch, have with this one.
        let number, numberInEpoch: Int
        fileprivate let begin: ContinuousClock.Instant
        /// What its batches give, and how many examples of the step a batch stands for where that is not as many as it has.
        fileprivate let parts: [(metrics: PendingMetrics, standsFor: Double?)]
    }

    /// Begins a step. While the device is busy with it, the one before is ended; a step whose metrics are known at once is ended
    /// at once.
    /// - Parameters:
    ///   - optimizer: nil for the configuration's, at the rate of the step.
    ///   - tell: called with each step that is ended.
    /// - Throws: `FileError` if a batch could not be made.
    func beginStep(
        _ batches: [LoadedBatch], by optimizer: Optimizer? = nil,
        endingLast tell: (StepUnderWay, BatchMetrics) throws -> Void = { _, _ in }
    ) throws {
        let step = try step(batches, by: optimizer)
        try endStep(tell)
        underWay = step
        if step.parts.allSatisfy(\.metrics.areKnown) { try endStep(tell) }
    }

    /// Waits for the step that was begun, if one was, and adds it to the sums.
    func endStep(_ tell: (StepUnderWay, BatchMetrics) throws -> Void = { _, _ in }) throws {
        guard let step = underWay else { return }
        underWay = nil
        let total = step.parts.reduce(into: BatchMetrics(lossSum: 0, correct: 0, count: 0)) { total, part in
            var metrics = part.metrics.metrics()
            if let examples = part.standsFor { metrics.lossSum = metrics.meanLoss * examples }
            total.add(metrics)
        }
        try executor.checkDevice()
        // From where the device was free for it.
        let now = clock.now
        state.computeSeconds += (now - max(step.begin, lastStepEnded)).seconds
        lastStepEnded = now
        state.lossSum += total.lossSum
        state.correct += total.correct
        state.count += total.count
        state.examples += total.count
        try tell(step, total)
    }

    /// Does a step, but does not wait for what it gave.
    private func step(_ batches: [LoadedBatch], by optimizer: Optimizer?) throws -> StepUnderWay {
        if let problem = batches.lazy.compactMap(\.firstProblem).first { throw unreadable(problem) }
        let trees = batches.map { SumTree(images: imageCount(ofBatch: $0.index)) }
        // Not the steps so far: earlier epochs may have had more, with photos that are gone.
        let place = state.epoch * stepsPerEpoch + state.stepInEpoch
        let optimizer =
            optimizer
            ?? configuration.optimizer(
                at: place, stepsPerEpoch: stepsPerEpoch, plateau: state.plateau,
                headPlateau: state.headPlateau)
        let loss = CrossEntropy(smoothing: configuration.smoothing ?? 0, classWeights: setup.classWeights)
        let batchWeights = zip(batches, trees).map { batch, tree in
            loss.classWeights == nil
                ? Double(tree.batch) : loss.weight(of: batch.batchLabels ?? batch.images?.labels ?? [])
        }
        let weights = batchWeights.map(Float.init)
        let weight = weights.reduce(0, +)
        let examples = trees.map(\.batch).reduce(0, +)
        var parts: [(metrics: PendingMetrics, standsFor: Double?)] = []
        let begin = clock.now
        for (part, tree) in trees.enumerated() {
            let share = trees.count > 1 ? weights[part] / weight : nil
            var loss = loss
            if sharing != nil, loss.classWeights != nil {
                loss.batchWeight = batchWeights[part]
            }
            let metrics = try train(
                batches[part].images, of: tree, part, share, isLast: part == trees.count - 1, loss: loss,
                optimizer: optimizer)
            // The mean of a step is one by the classes' weights, too.
            let stands = loss.classWeights == nil ? nil : share.map { Double($0) * Double(examples) }
            parts.append((metrics, stands))
        }
        state.step += 1
        state.stepInEpoch += 1
        return StepUnderWay(
            number: state.step, numberInEpoch: state.stepInEpoch, begin: begin, parts: parts)
    }

    /// How many images a batch has, with those of other processes.
    private func imageCount(ofBatch index: Int) -> Int {
        min(configuration.batchSize, training.count - index * configuration.batchSize)
    }

    /// Trains with a batch, which is a part of a step: the last one updates the weights.
    /// - Parameters:
    ///   - images: this process's.
    ///   - share: how much the batch counts among the step's; nil if it is the only one.
    private func train(
        _ images: ImageBatch?, of tree: SumTree, _ part: Int, _ share: Float?, isLast: Bool,
        loss: CrossEntropy, optimizer: Optimizer
    ) throws -> PendingMetrics {
        let (seed, place) = (configuration.seed, state.step * (configuration.gradAccumSteps ?? 1) + part)
        if share == nil, configuration.clipGrad == nil, sharing == nil, let images {
            return executor.beginTrainingStep(
                images, optimizer: optimizer, seed: seed, step: place, loss: loss)
        }
        let node = sharing.map { tree.node($0.rank, of: $0.count) } ?? tree
        var pending = PendingMetrics(BatchMetrics(lossSum: 0, correct: 0, count: 0))
        if let images {
            pending = executor.backward(
                images, of: node, seed: seed, step: place, loss: loss, exchange: sharing)
        } else {
            executor.skipBackward(of: node, seed: seed, step: place, loss: loss, exchange: sharing)
        }
        if let sharing {
            if let failure = sharing.failure { throw failure }
            try sharing.exchangeGradients(of: executor, tree)
            var metrics = pending.metrics()
            try sharing.add(&metrics, tree)
            if let weight = loss.batchWeight {
                metrics.lossSum = loss.sum(metrics.lossSum, of: metrics.count, 1 / weight)
            }
            pending = PendingMetrics(metrics)
        }
        if let share {
            if part == 0 { gradientSum.clear() }
            gradientSum.share = share
            try executor.exchangeGradients(with: &gradientSum)
        }
        if isLast {
            if let clipGrad = configuration.clipGrad { executor.clipGradients(to: clipGrad) }
            executor.update(with: optimizer)
        }
        return pending
    }
}
