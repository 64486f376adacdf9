import VGGData
import VGGEngine

/// How long a training would take, from a few steps of it.
public struct TrainingEstimate: Hashable, Sendable, Codable {
    /// Steps of the whole training.
    public var steps: Int
    /// Epochs of the whole training.
    public var epochs: Int
    /// Wall-clock seconds, loading included.
    public var secondsPerStep: Double
    /// Wall-clock seconds of one test over all test examples, those of the validation included.
    public var secondsPerTest: Double
    /// Wall-clock seconds of the whole training.
    public var seconds: Double
    /// Training examples a second, tests not counted.
    public var examplesPerSec: Double
    /// Training examples a second that loading makes alone, when nothing is computed: where it is not above `examplesPerSec`,
    /// the training waits for it.
    public var loadedExamplesPerSec: Double
    /// Bytes that the training holds.
    public var memory: PlanMemory
}

extension Trainer {
    /// Measures a few steps and a part of a test with the real plan and data, and keeps nothing.
    /// - Parameter limit: stop measuring steps after this much time; at least two are measured.
    /// - Throws: what making a trainer throws.
    public static func estimate(
        _ setup: consuming TrainingSetup, limit: Duration = .seconds(5)
    ) throws -> TrainingEstimate {
        let trainer = try Trainer(setup)
        let configuration = trainer.configuration
        let batches = trainer.trainingBatches()
        // The first step touches all memory for the first time.
        if let batch = batches.next() { try trainer.beginStep(trainer.wholeStep(batch, batches)) }
        try trainer.endStep()
        let begin = trainer.clock.now
        var measured = 0
        while measured < 2 || trainer.clock.now - begin < limit, let batch = batches.next() {
            try trainer.beginStep(trainer.wholeStep(batch, batches))
            measured += 1
        }
        try trainer.endStep()
        let stepping = (trainer.clock.now - begin).seconds
        // A data set of one batch has only the first step to measure.
        let secondsPerStep = measured > 0 ? stepping / Double(measured) : trainer.state.computeSeconds

        let testBegin = trainer.clock.now
        let part = trainer.test.prefix(2 * configuration.batchSize)
        _ = try trainer.executor.evaluate(
            BatchLoader(part, trainer.setup.testPreparation, batchSize: configuration.batchSize))
        let tested = trainer.test.count + (trainer.validation?.count ?? 0)
        let secondsPerTest = (trainer.clock.now - testBegin).seconds * Double(tested) / Double(part.count)

        let loaded = trainer.loadedExamplesPerSec(limit: limit / 4)

        let wholeSteps = configuration.epochs * trainer.stepsPerEpoch
        let steps = min(wholeSteps, configuration.maxSteps ?? wholeSteps)
        let epochs = (steps + trainer.stepsPerEpoch - 1) / trainer.stepsPerEpoch
        return TrainingEstimate(
            steps: steps, epochs: epochs, secondsPerStep: secondsPerStep, secondsPerTest: secondsPerTest,
            seconds: Double(steps) * secondsPerStep + Double(epochs) * secondsPerTest,
            examplesPerSec: Double(trainer.training.count) / Double(trainer.stepsPerEpoch) / secondsPerStep,
            loadedExamplesPerSec: loaded, memory: trainer.setup.memory)
    }

    /// By an epoch, or as much of it as is loaded in this time.
    private func loadedExamplesPerSec(limit: Duration) -> Double {
        state.stepInEpoch = 0
        var examples = 0
        let begin = clock.now
        let batches = trainingBatches()
        while examples == 0 || clock.now - begin < limit, let batch = batches.next() {
            examples += batch.examples.count
        }
        return Double(examples) / (clock.now - begin).seconds
    }
}
