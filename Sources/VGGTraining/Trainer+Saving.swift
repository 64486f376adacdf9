import Foundation
import VGGData
import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel

extension Trainer {
    /// Saves everything. The figures come before the checkpoint, which cuts them back when the run goes on; the
    /// model after it, so that a model without a checkpoint means that the checkpoint was lost. A best epoch's checkpoint is
    /// the only one that its model is made of.
    ///
    /// Does nothing without a run folder.
    /// - Throws: `TrainingError.diverged`, `DeviceError`, or `FileError` if a file cannot be written, with the way to go on.
    func save(_ report: (TrainingEvent) -> Void) throws -> CheckpointWritten {
        let (weights, optimizer) = (executor.weights, executor.optimizerState)
        // Of a device that has failed nothing takes a checkpoint's place.
        try executor.checkDevice()
        for (name, tensor) in weights
        where !tensor.values.withUnsafeBufferPointer({ $0.allSatisfy(\.isFinite) }) {
            throw diverged("\(name) is no longer finite", at: state.step, report)
        }
        state.wallSeconds = wallSeconds
        if let folder {
            do {
                try write(weights, optimizer, to: folder)
            } catch let error as FileError {
                let done = folder.hasCheckpoint ? " from the last checkpoint" : ""
                throw FileError(
                    error.path,
                    "\(error.reason); when it can be, go on\(done) with \(folder.resumption)")
            }
        }
        saved = clock.now
        let written = CheckpointWritten(path: folder?.checkpointPath, epochs: state.epoch, step: state.step)
        lastSaved = written
        return written
    }

    private func write(_ weights: [String: Tensor], _ optimizer: OptimizerState, to folder: RunFolder) throws
    {
        guard let model = setup.stored else { return }
        try folder.write(metrics)
        let checkpoint = Checkpoint(state: state, weights: weights, optimizer: optimizer)
        try checkpoint.write(to: folder.checkpointPath, model: model)
        if isModelNow { try folder.write(checkpoint.model, model, modelEpoch) }
        // What cannot be replaced of all that follows costs no weights.
        try writeLogs(to: folder)
        try folder.draw(folder.curves(metrics, configuration))
    }

    /// The same where something has changed since.
    func saveChanges(_ report: (TrainingEvent) -> Void) throws -> CheckpointWritten {
        if let lastSaved, (lastSaved.epochs, lastSaved.step) == (state.epoch, state.step) { return lastSaved }
        return try save(report)
    }

    /// Saves and says so; nothing without a run folder.
    func checkpoint(_ report: (TrainingEvent) -> Void) throws {
        let written = try save(report)
        if folder != nil { report(.checkpoint(written)) }
    }

    /// Goes back to where the run's last checkpoint was; to the start, if it was stopped before the first.
    /// - Returns: what somebody should know about the run's files, a line each.
    func resume(_ folder: RunFolder) throws -> [String] {
        var remarks: [String] = []
        if setup.hasCheckpoint {
            let checkpoint = try folder.readCheckpoint(configuration)
            // Where these are the run's photos for certain, some may be gone.
            let mayHaveFewer = setup.photos.isOfRun || configuration.skipBroken == true
            guard mayHaveFewer || checkpoint.state.trainExamples == training.count else {
                throw TrainingError.dataMismatch(
                    data: configuration.data,
                    reason:
                        "the run trained on \(checkpoint.state.trainExamples) examples, not \(training.count)"
                )
            }
            do {
                try executor.load(checkpoint.weights)
                try executor.load(checkpoint.optimizer)
            } catch {
                throw FileError(folder.checkpointPath, "\(error)")
            }
            state = checkpoint.state
            state.trainExamples = training.count
            try checkReaches(state)
            let model = try? Safetensors(contentsOf: folder.modelPath)
            let epoch = model.flatMap { TrainedEpoch(metadata: $0.metadata) }
            if !isModelNow, epoch != modelEpoch, let best = state.best {
                remarks.append(
                    "\(folder.modelPath): the weights of epoch \(best.epoch), the best so far, are gone; the best is kept of "
                        + "the epochs from here on")
                state.best = nil
            }
            // The run may have ended between the two files.
            if let stored = setup.stored, isModelNow,
                epoch != modelEpoch || model?.tensors != NamedTensors(sorting: checkpoint.model)
            {
                try folder.write(checkpoint.model, stored, modelEpoch)
            }
        }
        let (records, damaged) = try folder.readMetricLines()
        // What was written after the checkpoint will be written again.
        metrics = records.filter { record in
            if case .epoch(let figures) = record, figures.epoch > state.epoch { return false }
            return record.step <= state.step
        }
        if configuration.selects, configuration.keep != .best {
            // Patience may be new, and then the epochs so far have not been compared.
            for case .epoch(let figures) in metrics where state.best.map(figures.isBetter) ?? true {
                state.best = figures
            }
        }
        let hasOtherSums = try folder.hasOtherSums()
        let device = try folder.readConfiguration().device ?? "cpu"
        if let photos = setup.photos.record { try folder.write(photos) }
        try folder.write(configuration)
        try folder.write(metrics)
        remarks += damaged.map { "\(folder.metricsPath): line \($0) was damaged and is cut out" }
        if hasOtherSums {
            remarks.append(
                "the run was started by a version that summed batches in another order; from here on its numbers "
                    + "differ in their last bits from what that version would have made")
        }
        if setup.hasCheckpoint, device != setup.device.name {
            remarks.append(
                "the run was on \(device) and goes on on \(setup.device): from here on its numbers differ in their last bits "
                    + "from what they would have been there")
        }
        if let diagnosis = folder.readDiagnosis() {
            remarks.append("\(diagnosis.message); going on computes the same again; \(diagnosis.whatToTry)")
            folder.removeDiagnosis()
        }
        return remarks
    }

    /// - Throws: `TrainingError.tooShort` if the configuration ends before what is done.
    private func checkReaches(_ state: TrainingState) throws {
        guard configuration.epochs >= state.epoch else {
            throw TrainingError.tooShort(setting: .epochs, done: state.epoch)
        }
        if let limit = configuration.maxSteps, limit < state.step {
            throw TrainingError.tooShort(setting: .maxSteps, done: state.step)
        }
    }
}

extension RunFolder {
    fileprivate func write(_ weights: [String: Tensor], _ model: StoredModel, _ epoch: TrainedEpoch) throws {
        let metadata = try model.metadata.merging(epoch.metadata) { first, _ in first }
        try Safetensors(tensors: NamedTensors(sorting: weights), metadata: metadata)
            .write(to: modelPath, checksummed: true)
    }

    var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpointPath) }

    /// - Throws: `FileError` for a checkpoint that is damaged, with the ways to go on all the same.
    fileprivate func readCheckpoint(_ configuration: TrainingConfiguration) throws -> Checkpoint {
        do {
            return try Checkpoint(contentsOf: checkpointPath)
        } catch {
            guard let reason = (error as? SafetensorsError)?.reason ?? (error as? FileError)?.reason else {
                throw error
            }
            let other = newRun(configuration).map { ", or start a new run from the weights beside it: \($0)" }
            throw FileError(checkpointPath, "\(reason); put back a copy of it\(other ?? "")")
        }
    }

    /// - Throws: `TrainingError.noCheckpoint` if the run was saved before.
    func checkNothingSaved(_ configuration: TrainingConfiguration) throws(TrainingError) {
        // A model is written after the checkpoint of the same moment, and so never without one.
        guard !FileManager.default.fileExists(atPath: modelPath) else {
            throw TrainingError.noCheckpoint(path: checkpointPath, newRun: newRun(configuration))
        }
    }

    /// - Throws: `TrainingError.conflictingSettings` if `configuration` would compute something else than
    ///   the run does.
    public func checkCanGoOn(with configuration: TrainingConfiguration) throws {
        let own = try readConfiguration()
        let conflicts = own.conflicts(with: configuration)
        guard conflicts.isEmpty else {
            throw TrainingError.conflictingSettings(
                folder: path, conflicts,
                newRun: newRun(own, own.changes(to: configuration), dataIn: configuration.dataDirectory))
        }
    }
}
