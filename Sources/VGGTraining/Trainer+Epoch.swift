import VGGData
import VGGEngine
import VGGFiles
import VGGFormats
import VGGModel

extension Trainer {
    /// Tests the network as it is, or the average of its weights, if one is kept; first in validation. Nil if asked to stop.
    /// - Throws: `FileError` if a file cannot be read; what is done is then saved.
    func testNow(
        _ shouldStop: () -> Bool, _ report: (TrainingEvent) -> Void
    ) throws -> (validation: BatchMetrics?, test: BatchMetrics)? {
        let all = (validation?.count ?? 0) + test.count
        var progress = TestProgress(epoch: state.epoch + 1, examples: 0, testExamples: all)
        func evaluate(_ dataset: ImageDataset) throws -> BatchMetrics? {
            let done = progress.examples
            defer { progress.examples = done + dataset.count }
            let batches = BatchLoader(dataset, setup.testPreparation, batchSize: configuration.batchSize)
            if let sharing { return try sharing.evaluate(batches, by: executor) }
            return try executor.evaluate(batches) { examples in
                progress.examples = done + examples
                report(.testing(progress))
                return !shouldStop()
            }
        }
        do {
            let result = try executor.withAverage {
                () throws -> (validation: BatchMetrics?, test: BatchMetrics)? in
                var validated: BatchMetrics?
                if let validation {
                    validated = try evaluate(validation)
                    if validated == nil { return nil }
                }
                guard let tested = try evaluate(test) else { return nil }
                return (validated, tested)
            }
            try executor.checkDevice()
            return result
        } catch let error as FileError {
            try checkpoint(report)
            throw unreadable(error)
        }
    }

    /// The error of a photo that cannot be read, with the ways to go on.
    func unreadable(_ problem: FileError) -> FileError {
        guard training.hasPhotos else { return problem }
        var problem = problem
        problem.reason +=
            folder.map {
                "; then go on with \($0.resumption), or without it by adding \(Setting.skipBroken)"
            }
            ?? "; \(Setting.skipBroken) goes on without it"
        return problem
    }

    /// The epoch's figures from its running sums and tests.
    func epochMetrics(_ result: (validation: BatchMetrics?, test: BatchMetrics)) -> EpochMetrics {
        EpochMetrics(
            epoch: state.epoch + 1, step: state.step,
            trainLoss: state.lossSum / Double(state.count),
            trainAcc: Double(state.correct) / Double(state.count),
            valLoss: result.validation?.meanLoss, valAcc: result.validation?.accuracy,
            testLoss: result.test.meanLoss, testAcc: result.test.accuracy,
            examplesPerSec: Double(state.examples) / state.computeSeconds,
            wallExamplesPerSec: Double(state.examples) / wallSeconds, seconds: wallSeconds)
    }

    /// Counts the epoch as done, and saves.
    func endEpoch(_ figures: EpochMetrics, _ report: (TrainingEvent) -> Void) throws {
        metrics.append(.epoch(figures))
        state.lastEpoch = figures
        if configuration.selects, state.best.map(figures.isBetter) ?? true { state.best = figures }
        let epoch = state.epoch
        state.plateau?.finish(epoch: epoch, figure: figures.selectionAcc)
        state.headPlateau?.finish(epoch: epoch, figure: figures.selectionAcc)
        state.epoch += 1
        state.stepInEpoch = 0
        (state.lossSum, state.correct, state.count) = (0, 0, 0)
        // What is said to be done is on the disk.
        try checkpoint(report)
        report(.epoch(figures))
        if let diagnosis = Diagnosis.afterEpoch(
            figures, of: setup.network, learningRate: configuration.optimizer.learningRate)
        {
            report(.diagnosis(diagnosis))
        }
    }

    func finish(_ figures: EpochMetrics, _ report: (TrainingEvent) -> Void) throws -> TrainingSummary {
        // What is trained is saved by now.
        try endTrace()
        let summary = TrainingSummary(
            epochs: state.epoch, steps: state.step, trainLoss: figures.trainLoss,
            trainAcc: figures.trainAcc, testAcc: figures.testAcc, best: state.best,
            examplesPerSec: figures.examplesPerSec, wallExamplesPerSec: figures.wallExamplesPerSec,
            seconds: figures.seconds)
        report(.finished(summary))
        return summary
    }

    /// Wall-clock seconds of the run, not counting those in which it was stopped.
    var wallSeconds: Double { secondsBefore + (clock.now - started).seconds }

    /// The error of a training that cannot go on, already reported.
    /// - Parameter step: the one that it was seen in; the next may be under way.
    func diverged(_ what: String, at step: Int, _ report: (TrainingEvent) -> Void) -> TrainingError {
        let diagnosis = Diagnosis.diverged(
            // What an epoch's end finds is of that epoch.
            epoch: state.epoch + (state.stepInEpoch > 0 || state.epoch == 0 ? 1 : 0), step: step, what: what,
            of: setup.network,
            configuration: configuration, run: folder)
        // Without it, a resumed run ends by the same error, only later.
        if let folder { try? folder.write(diagnosis) }
        report(.diagnosis(diagnosis))
        return .diverged(diagnosis)
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
