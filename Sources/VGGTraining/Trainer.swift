import VGGData
import VGGDistributed
import VGGEngine
import VGGFiles
import VGGInference
import VGGModel

/// Trains a network on a data set, and tests it after each epoch, as the chapter's `train_ch6` does.
///
/// With a run folder, everything is saved after each epoch, every few minutes within one and when asked to
/// stop; a trainer that resumes the run goes on bit for bit as if it had never been stopped. A trainer is a
/// class because it owns the network's memory and the run folder; like its executor it is not `Sendable`.
public final class Trainer {
    /// What is trained, on what, where.
    public let setup: TrainingSetup
    /// That of the setup, or of a new run the name that it got.
    public private(set) var folder: RunFolder?
    /// What somebody should know about the photos and the run's files, a line each.
    public private(set) var remarks: [String]
    /// How much wall-clock time may pass before a checkpoint is written within an epoch.
    public var checkpointInterval = Duration.seconds(300)

    let executor: Executor
    var state: TrainingState
    var metrics: [MetricsRecord] = []
    private var lock: RunLock?
    let clock = ContinuousClock()
    /// When `run` was called last, and how many seconds of the run were before.
    var started: ContinuousClock.Instant
    var secondsBefore = 0.0
    var saved: ContinuousClock.Instant
    var lastSaved: CheckpointWritten?
    /// nil where none is kept, or it is complete.
    private var trace: StepTrace?
    /// Of the batches of a step so far.
    var gradientSum = GradientSum()
    /// The step that the device is busy with; nil where all are ended.
    var underWay: StepUnderWay?
    var lastStepEnded: ContinuousClock.Instant
    /// The processes that share each batch out; nil where this one trains alone.
    let sharing: Sharing?

    /// Reserves the memory, and starts the run's folder or goes back to where it was.
    /// - Parameter communicator: the processes that train together, all with the same configuration and data and the first with
    ///   the run's folder; nil to train alone.
    /// - Throws: `PlanError`, `TrainingError`, also for a training's preparation that does not fit, `FileError` for weights that do not fit, or what reading and writing the
    ///   run's files throw.
    public init(_ setup: consuming TrainingSetup, with communicator: (any Communicator)? = nil) throws {
        // This alone may have been changed since it was checked.
        try setup.network.check(setup.training, setup.trainingPreparation)
        sharing = try communicator.map { try Sharing($0, setup) }
        executor = try Executor(plan: setup.plan, device: setup.device)
        state = TrainingState(trainExamples: setup.training.count)
        let schedule = setup.configuration.schedule
        state.plateau = schedule?.plateau(rate: setup.configuration.optimizer.learningRate)
        state.headPlateau = setup.configuration.optimizer.headLearningRate.flatMap {
            schedule?.plateau(rate: $0)
        }
        if !setup.hasCheckpoint {
            executor.initialize(setup.configuration.initialization, seed: setup.configuration.seed)
        }
        try setup.initialWeights?.load(into: executor)
        state.newHead = setup.initialWeights?.newHead
        started = clock.now
        saved = started
        lastStepEnded = started
        remarks = setup.remarks
        folder = setup.folder
        lock = setup.lock
        // They are in the executor now.
        setup.initialWeights = nil
        self.setup = setup

        if let folder, lock != nil {
            remarks += try resume(folder)
        } else if let folder {
            (self.folder, lock) = try folder.create(configuration, photos: self.setup.photos.record)
        }
        try joinOthers()
        if let lock, !lock.isHeld, let folder = self.folder {
            remarks.append("\(folder.path): its file system has no locks; let no other process train there")
        }
    }

    /// What is trained; of photos, with how they are prepared and their classes.
    public var configuration: TrainingConfiguration { setup.configuration }
    /// The examples that it trains on.
    public var training: ImageDataset { setup.training }
    /// Those that it tests on after each epoch.
    public var test: ImageDataset { setup.test }
    /// Those that epochs are compared by; nil for the test's.
    public var validation: ImageDataset? { setup.validation }

    /// Steps of a whole epoch; the last one may have fewer batches, and the last batch fewer examples.
    public var stepsPerEpoch: Int { (training.count + examplesPerStep - 1) / examplesPerStep }

    /// Examples of a step that is not an epoch's last.
    private var examplesPerStep: Int { configuration.batchSize * (configuration.gradAccumSteps ?? 1) }

    /// Trains until the configured end.
    /// - Parameters:
    ///   - report: called with each event, on the calling thread.
    ///   - shouldStop: asked after each step; if true, the training is saved and stops.
    /// - Returns: how the training ended; nil if it was stopped.
    /// - Throws: `TrainingError.diverged`, or what saving throws; the last good checkpoint stays.
    public func run(
        report: (TrainingEvent) -> Void = { _ in }, shouldStop: () -> Bool = { false }
    ) throws -> TrainingSummary? {
        started = clock.now
        saved = started
        secondsBefore = state.wallSeconds
        report(
            .started(
                TrainingStart(
                    configuration: configuration, parameters: setup.network.parameterCount,
                    trainedParameters: executor.plan.trainedParameterCount, newHead: state.newHead,
                    memory: setup.memory,
                    trainExamples: training.count, testExamples: test.count,
                    validationExamples: validation?.count,
                    skipped: setup.photos.record?.skipped ?? [],
                    stepsPerEpoch: stepsPerEpoch,
                    epochs: state.epoch, step: state.step, best: state.best?.epoch,
                    runDirectory: folder?.path, ranks: sharing?.count)))
        // Processes that train together stop together.
        trace = StepTrace(configuration, folder)
        trace?.begin(executor, sharing)
        // Where something else ends the training, that is what is said.
        defer { try? endTrace() }
        func anyoneIsAsked() -> Bool { sharing?.anyone(shouldStop()) ?? shouldStop() }
        while true {
            if let last = state.lastEpoch, isFinished { return try finish(last, report) }
            try train(anyoneIsAsked, report)
            let isStopped = anyoneIsAsked()
            if let failure = sharing?.failure { throw failure }
            guard !isStopped, let result = try testNow(shouldStop, report) else {
                let saved = try saveChanges(report)
                try endTrace()
                report(.interrupted(saved))
                return nil
            }
            var figures = epochMetrics(result)
            figures.waitedSeconds = try sharing?.waitedSeconds()
            // There may be fewer than there were, if photos have been left out since.
            guard state.stepInEpoch >= stepsPerEpoch else {
                // `maxSteps` ended the training within the epoch, whose figures are not final.
                try checkpoint(report)
                return try finish(figures, report)
            }
            try endEpoch(figures, report)
        }
    }

    /// Writes the trace of the first steps, if that has not been done.
    /// - Throws: `FileError` if it cannot be written.
    func endTrace() throws {
        guard let trace, let folder else { return }
        self.trace = nil
        try trace.end(executor, sharing, in: folder)
    }

    private var isFinished: Bool {
        state.epoch >= configuration.epochs || isOutOfPatience
            || state.stepInEpoch == 0 && stepsAreUsedUp
    }

    private var stepsAreUsedUp: Bool { configuration.maxSteps.map { state.step >= $0 } ?? false }

    /// Trains to the end of the epoch, or of `maxSteps`, or until asked to stop.
    private func train(_ shouldStop: () -> Bool, _ report: (TrainingEvent) -> Void) throws {
        guard state.stepInEpoch < stepsPerEpoch, !stepsAreUsedUp else { return }
        func tell(_ step: StepUnderWay, _ gave: BatchMetrics) throws {
            if !gave.lossSum.isFinite {
                // The sign of "not a number" says nothing.
                let loss = gave.lossSum.isNaN ? .nan : gave.lossSum
                throw diverged("the loss of a batch is \(loss)", at: step.number, report)
            }
            let figures = StepMetrics(
                epoch: state.epoch + 1, step: step.number, stepInEpoch: step.numberInEpoch,
                stepsPerEpoch: stepsPerEpoch, trainLoss: state.lossSum / Double(state.count),
                trainAcc: Double(state.correct) / Double(state.count),
                examplesPerSec: Double(state.examples) / state.computeSeconds, seconds: wallSeconds)
            if figures.isRecorded { metrics.append(.step(figures)) }
            report(.step(figures))
        }
        let batches = trainingBatches()
        while !shouldStop(), !stepsAreUsedUp, let batch = batches.next() {
            let parts = wholeStep(batch, batches)
            // A file that cannot be read ends the training, but not what is done.
            if parts.contains(where: { $0.firstProblem != nil }) {
                try endStep(tell)
                try checkpoint(report)
            }
            try beginStep(parts, endingLast: tell)
            if trace?.stepIsDone() == true { try endTrace() }
            if clock.now - saved >= checkpointInterval {
                try endStep(tell)
                try checkpoint(report)
            }
        }
        try endStep(tell)
    }
}
