import Foundation
import VGGFiles
import VGGFormats
import VGGModel

extension Trainer {
    /// Gives the network the weights to start from.
    func initializeWeights() throws {
        executor.initialize(configuration.initialization, seed: configuration.seed)
        guard let path = configuration.initialWeights else { return }
        let file = try Safetensors(contentsOf: path)
        do {
            try executor.load(file.tensors)
        } catch {
            throw FileError(path, "\(error)")
        }
    }

    /// Saves everything; the checkpoint last, so that whatever else was written is never older than it.
    ///
    /// Does nothing without a run folder.
    func save(_ report: (TrainingEvent) -> Void) throws -> CheckpointWritten {
        let weights = executor.weights
        for (name, tensor) in weights where !tensor.values.allSatisfy(\.isFinite) {
            throw diverged("\(name) is no longer finite", report)
        }
        state.wallSeconds = wallSeconds
        if let folder {
            let model = StoredModel(configuration)
            try folder.write(metrics)
            try folder.draw(folder.curves(metrics, configuration))
            try Safetensors(tensors: weights, metadata: model.metadata).write(to: folder.modelPath)
            try Checkpoint(state: state, weights: weights, momentum: executor.momentum)
                .write(to: folder.checkpointPath, model: model)
        }
        saved = clock.now
        return CheckpointWritten(path: folder?.checkpointPath, epochs: state.epoch, step: state.step)
    }

    /// Saves and says so; nothing without a run folder.
    func checkpoint(_ report: (TrainingEvent) -> Void) throws {
        let written = try save(report)
        if folder != nil { report(.checkpoint(written)) }
    }

    /// Goes back to where the run's last checkpoint was; to the start, if it was stopped before the first.
    func resume(_ folder: RunFolder) throws {
        if folder.hasCheckpoint {
            let checkpoint = try Checkpoint(contentsOf: folder.checkpointPath)
            guard checkpoint.state.trainExamples == training.count else {
                throw TrainingError.dataMismatch(
                    data: configuration.data,
                    reason:
                        "the run trained on \(checkpoint.state.trainExamples) examples, not \(training.count)"
                )
            }
            do {
                try executor.load(checkpoint.weights)
                if !checkpoint.momentum.isEmpty { try executor.load(momentum: checkpoint.momentum) }
            } catch {
                throw FileError(folder.checkpointPath, "\(error)")
            }
            state = checkpoint.state
        } else {
            try initializeWeights()
        }
        // What was written after the checkpoint will be written again.
        metrics = try folder.readMetrics().filter { record in
            if case .epoch(let figures) = record, figures.epoch > state.epoch { return false }
            return record.step <= state.step
        }
        try folder.write(configuration)
        try folder.write(metrics)
    }
}

extension RunFolder {
    var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpointPath) }

    /// - Throws: `TrainingError.conflictingOptions` if `configuration` would compute something else than
    ///   the run does.
    public func checkCanGoOn(with configuration: TrainingConfiguration) throws {
        let conflicts = try readConfiguration().conflicts(with: configuration)
        guard conflicts.isEmpty else {
            throw TrainingError.conflictingOptions(folder: path, conflicts)
        }
    }
}
