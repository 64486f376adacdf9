import Foundation
import VGGFiles
import VGGInference
import VGGModel

/// What a training reads and writes in its folder.
extension RunFolder {
    /// Makes the folder, if need be, and writes `config.json`, and for photos `photos.json`.
    /// - Returns: the folder that it has become, and the lock; whatever is written is written under it.
    /// - Throws: `TrainingError.runInUse` or `.runExists`, or `FileError` if the folder cannot be written.
    func create(_ configuration: TrainingConfiguration, photos: RunPhotos?) throws -> (RunFolder, RunLock) {
        if isNumbered { return try numbered().create(configuration, photos: photos) }
        try Self.makeFolder(path)
        let lock = try RunLock(self)
        guard !holdsRun else { throw TrainingError.runExists(folder: path) }
        // Files with a run's names that belong to no run are somebody else's.
        for file in [
            modelPath, checkpointPath, metricsPath, photosPath, diagnosisPath, curvesSVGPath, curvesPNGPath,
            eventsPath, tablePath, tracePath,
        ]
        where FileManager.default.fileExists(atPath: file) {
            throw FileError(file, "is there already, and of no run; choose another \(Setting.folder)")
        }
        if let photos { try write(photos) }
        try write(configuration)
        return (self, lock)
    }

    /// Makes a folder that nobody else has made, nor can be making now.
    private func numbered() throws -> RunFolder {
        try Self.makeFolder(path.parentFolder)
        var (name, number) = (path, 1)
        while mkdir(name, 0o777) != 0 {
            guard errno == EEXIST else { throw FileError(name, failed: "the run folder cannot be made") }
            number += 1
            name = "\(path)-\(number)"
        }
        return RunFolder(name)
    }

    private static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            let problem =
                FileManager.default.fileExists(atPath: path)
                ? "is a file, not a folder" : "the run folder cannot be made"
            throw FileError(path, "\(problem); choose another \(Setting.folder)")
        }
    }

    func write(_ photos: RunPhotos) throws {
        try AtomicFile.replace(photosPath, with: Data(JSONText.pretty(photos).utf8))
    }

    /// The photos that the run trains and tests on; nil for other data, and for a run that was started before they were
    /// kept.
    /// - Throws: `FileError` if `photos.json` cannot be understood.
    public func readPhotos() throws(FileError) -> RunPhotos? {
        guard FileManager.default.fileExists(atPath: photosPath) else { return nil }
        guard let text = try? String(contentsOfFile: photosPath, encoding: .utf8),
            let photos = try? JSONText.decode(RunPhotos.self, from: text)
        else {
            throw FileError(
                photosPath, "is not a list of a run's photos; it is damaged, or of another program")
        }
        return photos
    }

    func write(_ configuration: TrainingConfiguration) throws {
        let text = try JSONText.pretty(RunDescription(configuration: configuration))
        try AtomicFile.replace(configurationPath, with: Data(text.utf8))
    }

    /// What the run trains.
    /// - Throws: `NoRunError`, or `FileError` if `config.json` cannot be understood.
    public func readConfiguration() throws -> TrainingConfiguration { try readDescription().configuration }

    /// Whether the run was started when batches were summed in another order.
    func hasOtherSums() throws -> Bool { try readDescription().format < RunDescription.format }

    private func readDescription() throws -> RunDescription {
        try checkHoldsRun()
        do {
            let text = try String(contentsOfFile: configurationPath, encoding: .utf8)
            return try JSONText.decode(RunDescription.self, from: text)
        } catch let error as RunDescription.UnknownFormat {
            throw FileError(configurationPath, "is of format \(error.format), which this version cannot read")
        } catch {
            throw FileError(
                configurationPath, "is not a run's configuration; it is damaged, or of another program")
        }
    }

    /// Keeps what the training ended by, for whoever goes on with the run.
    func write(_ diagnosis: Diagnosis) throws {
        try AtomicFile.replace(diagnosisPath, with: Data(JSONText.pretty(diagnosis).utf8))
    }

    /// What the training ended by; nil if it did not, or if nobody can read it any more.
    package func readDiagnosis() -> Diagnosis? {
        guard let text = try? String(contentsOfFile: diagnosisPath, encoding: .utf8) else { return nil }
        return try? JSONText.decode(Diagnosis.self, from: text)
    }

    /// The training goes on, perhaps to another end.
    func removeDiagnosis() { unlink(diagnosisPath) }

    /// Deletes the temporary files of a process that was killed while it wrote; call only under the lock.
    func removePartialFiles() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where name.hasSuffix(".partial") {
            try? FileManager.default.removeItem(atPath: file(name))
        }
    }
}

extension RunFolder {
    /// Whether a process trains in the folder at this moment.
    public var isInTraining: Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}

/// `config.json`: the configuration's members beside the number of the format.
private struct RunDescription: Codable {
    struct UnknownFormat: Error { let format: Int }

    /// Runs of format 1 were started when batches were summed in another order.
    static let format = 2
    let format: Int
    let configuration: TrainingConfiguration

    private enum Key: String, CodingKey { case format }

    init(configuration: TrainingConfiguration) {
        self.configuration = configuration
        format = Self.format
    }

    init(from decoder: any Decoder) throws {
        format = try decoder.container(keyedBy: Key.self).decode(Int.self, forKey: .format)
        guard (1...Self.format).contains(format) else { throw UnknownFormat(format: format) }
        configuration = try TrainingConfiguration(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(format, forKey: .format)
        try configuration.encode(to: encoder)
    }
}

/// Held while a process trains in a run folder, so that no second one does.
///
/// The operating system gives the lock back when the process ends, however it ends.
final class RunLock {
    private let descriptor: Int32
    /// Whether the file system knows locks; some that several machines share do not.
    let isHeld: Bool

    /// - Throws: `TrainingError.runInUse`, or `FileError` if the folder cannot be opened.
    init(_ folder: RunFolder) throws {
        descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(folder.path, failed: "cannot be opened") }
        // Somebody who only wants to know whether there is a lock has one for a moment (`isInTraining`).
        for attempt in 1...5 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                isHeld = true
                return
            }
            guard errno == EWOULDBLOCK else { break }
            guard attempt < 5 else {
                close(descriptor)
                throw TrainingError.runInUse(folder: folder.path)
            }
            usleep(20_000)
        }
        isHeld = false
    }

    deinit { close(descriptor) }
}
