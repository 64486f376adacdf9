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
    /// Trains together with the first process, which has read the options and the run, and which alone writes and prints.
    func join(_ ranks: MPI) throws {
        let text = String(decoding: try ranks.broadcast([]), as: UTF8.self)
        let configuration = try JSONText.decode(TrainingConfiguration.self, from: text)
        let data = try Datasets.load(
            configuration.data, from: training.data.folder ?? configuration.dataDirectory,
            validation: configuration.validation, classNames: configuration.labels.map { ClassNames($0) },
            checksPhotos: false)
        let device = Device.cpu(threads: compute.threads ?? ranks.threads(of: .cpu()))
        let setup = try TrainingSetup(
            configuration, training: data.train, test: data.test, validation: data.validation, device: device,
            ranks: ranks.count)
        let trainer = try Trainer(consume setup, with: ranks)
        Signals.beginTraining(isQuiet: true)
        guard try trainer.run(shouldStop: { Signals.isStopRequested }) != nil else {
            throw ExitCode(Signals.exitCode)
        }
    }
}
