import VGGData
import VGGEngine
import VGGFiles
import VGGFormats
import VGGImages
import VGGInference
import VGGModel

/// Trains a network on a data set, and tests it after each epoch, as the chapter's `train_ch6` does.
///
/// With a run folder, everything is saved after each epoch, every few minutes within one and when asked to
/// stop; a trainer that resumes the run goes on bit for bit as if it had never been stopped. A trainer is a
/// class because it owns the network's memory and the run folder; like its executor it is not `Sendable`.
public final class Trainer {
    /// What is trained; of photos, with how they are prepared and their classes.
    public let configuration: TrainingConfiguration
    public let network: Network
    /// Bytes that the training holds.
    public let memory: PlanMemory
    public let training: ImageDataset
    public let test: ImageDataset
    /// How their images become the network's input.
    public let preparation: Preparation
    public private(set) var folder: RunFolder?
    /// What somebody should know about the photos, a line each.
    public private(set) var remarks: [String]
    /// nil for a data set in memory.
    let photos: RunPhotos?
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

    /// - Parameters:
    ///   - training, test: the data; the configuration's limits are applied here. A run that goes on takes from them, in
    ///     either, the photos that it has had so far.
    ///   - folder: where to keep the run; nil to keep nothing.
    ///   - resuming: whether to go on with the run in `folder` rather than start one there.
    /// - Throws: `TrainingError`, `ModelError`, `FileError` for photos that are gone or cannot be read, or what reading
    ///   the run and planning the network throw.
    public init(
        _ configuration: TrainingConfiguration, training: ImageDataset, test: ImageDataset, device: Device,
        folder: RunFolder? = nil, resuming: Bool = false
    ) throws {
        let configuration = try configuration.completed(for: training)
        try configuration.validate()
        var lock: RunLock?
        if let folder, resuming {
            try folder.checkHoldsRun()
            lock = try RunLock(folder)
            folder.removePartialFiles()
        }
        let settled = try SettledPhotos(
            configuration, training: training, test: test, run: resuming ? folder : nil,
            threads: device.threads)
        (photos, remarks) = (settled.record, settled.remarks)
        let training = settled.training.limited(to: configuration.trainLimit ?? .max)
        let test = settled.test.limited(to: configuration.testLimit ?? .max)
        preparation = configuration.preparation(of: training)
        for dataset in [training, test] { try configuration.model.check(dataset, preparation) }
        let network = try configuration.model.network(size: configuration.size)
        let plan = try Plan(
            network, batchSize: configuration.batchSize, mode: .training, precision: configuration.precision,
            frozenLayers: try configuration.freeze.map { try network.layerCount(of: $0) } ?? 0)
        self.configuration = configuration
        self.training = training
        self.test = test
        self.network = network
        self.folder = folder
        let memory = device.memory(of: plan, optimizer: configuration.optimizer)
        self.memory = memory
        try plan.checkFits(on: device, optimizer: configuration.optimizer) { batchSize in
            // What is saved is copied first.
            BatchLoader.bytes(of: network.input, batchSize: batchSize) + memory.parameters
                + memory.optimizerState
        }
        if let folder {
            let momentum = configuration.optimizer.momentum > 0 ? plan.trainedParameterCount : 0
            try folder.checkSpace(
                for: RunFolder.SavedBytes(network, momentumOf: momentum),
                free: FreeDisk.bytes(at: folder.path))
        }
        executor = try Executor(plan: plan, device: device)
        state = TrainingState(trainExamples: training.count)
        started = clock.now
        saved = started

        if let folder, resuming {
            try folder.checkCanGoOn(with: configuration)
            remarks += try resume(
                folder, mayHaveFewer: settled.isOfRun || configuration.skipBroken == true)
        } else {
            try initializeWeights()
            if let folder { (self.folder, lock) = try folder.create(configuration, photos: photos) }
        }
        self.lock = lock
        if let lock, !lock.isHeld, let folder = self.folder {
            remarks.append("\(folder.path): its file system has no locks; let no other process train there")
        }
    }

    /// Steps of a whole epoch; the last one may have fewer examples.
    public var stepsPerEpoch: Int {
        (training.count + configuration.batchSize - 1) / configuration.batchSize
    }

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
                    configuration: configuration, parameters: network.parameterCount,
                    trainedParameters: executor.plan.trainedParameterCount, newHead: state.newHead,
                    memory: memory,
                    trainExamples: training.count, testExamples: test.count, skipped: photos?.skipped ?? [],
                    stepsPerEpoch: stepsPerEpoch,
                    epochs: state.epoch, step: state.step, runDirectory: folder?.path)))
        while true {
            if let last = state.lastEpoch, isFinished { return finish(last, report) }
            try train(shouldStop, report)
            guard !shouldStop(), let result = try testNow(shouldStop, report) else {
                report(.interrupted(try saveChanges(report)))
                return nil
            }
            let figures = epochMetrics(result)
            // There may be fewer than there were, if photos have been left out since.
            guard state.stepInEpoch >= stepsPerEpoch else {
                // `maxSteps` ended the training within the epoch, whose figures are not final.
                try checkpoint(report)
                return finish(figures, report)
            }
            try endEpoch(figures, report)
        }
    }

    private var isFinished: Bool {
        state.epoch >= configuration.epochs || state.stepInEpoch == 0 && stepsAreUsedUp
    }

    private var stepsAreUsedUp: Bool { configuration.maxSteps.map { state.step >= $0 } ?? false }

    /// Trains to the end of the epoch, or of `maxSteps`, or until asked to stop.
    private func train(_ shouldStop: () -> Bool, _ report: (TrainingEvent) -> Void) throws {
        guard state.stepInEpoch < stepsPerEpoch, !stepsAreUsedUp else { return }
        let batches = trainingBatches()
        while !shouldStop(), !stepsAreUsedUp, let batch = batches.next() {
            // A file that cannot be read ends the training, but not what is done.
            if batch.firstProblem != nil { try checkpoint(report) }
            let step = try trainingStep(batch)
            if !step.lossSum.isFinite {
                // The sign of "not a number" says nothing.
                let loss = step.lossSum.isNaN ? .nan : step.lossSum
                throw diverged("the loss of a batch is \(loss)", report)
            }
            let figures = StepMetrics(
                epoch: state.epoch + 1, step: state.step, stepInEpoch: state.stepInEpoch,
                stepsPerEpoch: stepsPerEpoch, trainLoss: state.lossSum / Double(state.count),
                trainAcc: Double(state.correct) / Double(state.count),
                examplesPerSec: Double(state.examples) / state.computeSeconds)
            if figures.isRecorded { metrics.append(.step(figures)) }
            report(.step(figures))
            if clock.now - saved >= checkpointInterval { try checkpoint(report) }
        }
    }

    /// The rest of the epoch's batches.
    func trainingBatches() -> BatchLoader.Iterator {
        BatchLoader(
            training, preparation, batchSize: configuration.batchSize,
            order: configuration.shuffle ? .shuffled(seed: configuration.seed, epoch: state.epoch) : .stored,
            seed: configuration.seed, epoch: state.epoch, startBatch: state.stepInEpoch
        ).makeIterator()
    }

    /// One timed step, added to the sums.
    /// - Throws: `FileError` if the batch could not be made.
    func trainingStep(_ batch: LoadedBatch) throws -> BatchMetrics {
        if let problem = batch.firstProblem { throw unreadable(problem) }
        guard let images = batch.images else { return BatchMetrics(lossSum: 0, correct: 0, count: 0) }
        let begin = clock.now
        let step = executor.trainingStep(
            images, optimizer: configuration.optimizer, seed: configuration.seed, step: state.step)
        state.computeSeconds += (clock.now - begin).seconds
        state.lossSum += step.lossSum
        state.correct += step.correct
        state.count += step.count
        state.examples += step.count
        state.step += 1
        state.stepInEpoch += 1
        return step
    }
}
