import ArgumentParser
import VGGKit

/// Whether several processes train together.
enum DistributedChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, none, mpi

    /// Joins the other processes; nil to train alone.
    /// - Throws: `DistributedError` if they cannot be joined.
    func communicator() throws(DistributedError) -> MPI? {
        guard self == .mpi || self == .auto && MPI.isLaunched else { return nil }
        return try MPI.start()
    }
}

extension MPI {
    /// Runs what all processes do together, to a common end: if one of them cannot go on, it says so and ends all.
    func together(_ body: () throws -> Void) throws {
        watch { [self] lost in
            Console.error("error: rank \(rank): \(lost)")
            abort(code: ExitCode.failure.rawValue)
        }
        do {
            try body()
            finish()
        } catch {
            // All know of these, and the first says it.
            if error is ExitCode {
                finish()
                throw error
            }
            if case TrainingError.diverged = error, rank > 0 {
                finish()
                throw ExitCode.failure
            }
            let text = VGGCommand.message(for: error)
            Console.error("error: \(rank == 0 ? "" : "rank \(rank): ")\(text)")
            abort(code: VGGCommand.exitCode(for: error).rawValue)
        }
    }

    /// Processors of this process, where each of the machine's processes has as many.
    func threads(of device: Device) -> Int { max(1, device.threads / ranksHere) }
}

extension TrainCommand {
    /// What the first process tells the others of the run.
    struct SharedRun: Codable {
        var configuration: TrainingConfiguration
        /// Those of a run that goes on and has a list of them.
        var photos: RunPhotos?
    }

    /// Trains together with the first process, which has read the options and the run, and which alone writes and prints.
    func join(_ ranks: MPI) throws {
        let text = String(decoding: try ranks.broadcast([]), as: UTF8.self)
        let run = try JSONText.decode(SharedRun.self, from: text)
        let configuration = run.configuration
        let data = try Datasets.load(
            configuration.data, from: training.data.folder ?? configuration.dataDirectory,
            validation: run.photos == nil ? configuration.validation : nil,
            classNames: configuration.labels.map { ClassNames($0) },
            checksPhotos: false)
        let device = Device.cpu(threads: compute.threads ?? ranks.threads(of: .cpu()))
        let setup = try TrainingSetup(
            joining: configuration, training: data.train, test: data.test, validation: data.validation,
            photos: run.photos, device: device, ranks: ranks.count)
        let trainer = try Trainer(consume setup, with: ranks)
        Signals.beginTraining(isQuiet: true)
        guard try trainer.run(shouldStop: { Signals.isStopRequested }) != nil else {
            throw ExitCode(Signals.exitCode)
        }
    }
}
