import Foundation
import VGGFiles
import VGGFormats
import VGGModel

/// The folder of one training run: a public format, described in docs/run-folder.md.
///
/// Every file in it is replaced as a whole, so another program may read it while the run goes on.
public struct RunFolder: Hashable, Sendable {
    /// As it was given.
    public let path: String
    /// Whether a new run goes to a folder of another name where there is one of this name.
    package let isNumbered: Bool

    /// The folder at a path, whether it is there or not.
    public init(_ path: String) { self.init(path, isNumbered: false) }

    private init(_ path: String, isNumbered: Bool) {
        self.path = path
        self.isNumbered = isNumbered
    }

    /// The folder of a new run alone: `path`, or `path-2` and so on where there is one already.
    public static func unused(_ path: String) -> RunFolder { RunFolder(path, isNumbered: true) }

    /// How the run was started; it is there from the beginning.
    public var configurationPath: String { file("config.json") }
    /// Which photos of a folder are kept for testing.
    public var photosPath: String { file("photos.json") }
    /// A line a record, as it goes on.
    public var metricsPath: String { file("metrics.jsonl") }
    /// All that going on needs.
    public var checkpointPath: String { file("checkpoint.safetensors") }
    /// The weights to predict with.
    public var modelPath: String { file("model.safetensors") }
    /// What is wrong with the training; not there if nothing is.
    public var diagnosisPath: String { file("diagnosis.json") }
    /// TensorBoard looks for files with such names.
    public var eventsPath: String { file("events.out.tfevents.vgg") }
    /// The epochs as a table.
    public var tablePath: String { file("metrics.csv") }
    /// When the parts of the first steps began and ended.
    public var tracePath: String { file("trace.json") }
    /// Loss and accuracies over the epochs, as is `curvesPNGPath`.
    public var curvesSVGPath: String { file("curves.svg") }
    /// The figures as a chart, for a screen.
    public var curvesPNGPath: String { file("curves.png") }

    package func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

    /// Whether a run was started in the folder, and a new one would not get another name.
    public var holdsRun: Bool { !isNumbered && FileManager.default.fileExists(atPath: configurationPath) }

    package func checkHoldsRun() throws(NoRunError) {
        if !holdsRun { throw NoRunError(folder: path) }
    }

    /// - Throws: `NoRunError`, or `FileError` if the run has no weights yet.
    func checkHoldsModel() throws {
        if !holdsRun, let reason = WeightFile.objection(toFolder: path) { throw FileError(path, reason) }
        try checkHoldsRun()
        guard !FileManager.default.fileExists(atPath: modelPath) else { return }
        throw FileError(
            modelPath, "is not there yet: it is written after the first epoch; go on with \(resumption)")
    }

    /// The run's model.
    /// - Throws: what `WeightFile` throws; of a damaged one it says where the same weights are, if they are whole there.
    func weightFile() throws -> WeightFile {
        do {
            return try WeightFile(contentsOf: modelPath)
        } catch let error as SafetensorsError where (try? Safetensors(contentsOf: checkpointPath)) != nil {
            throw FileError(
                error.path,
                "\(error.reason); the weights of its last checkpoint are in \(checkpointPath.shellWord)")
        }
    }

    /// What `config.json` says that the run's weights belong to; nil if it cannot be understood.
    var storedModel: StoredModel? {
        let text = try? String(contentsOfFile: configurationPath, encoding: .utf8)
        return text.flatMap { try? JSONText.decode(StoredModel.self, from: $0) }
    }

    /// The command that goes on with the run.
    package var resumption: String { "vgg train \(Setting.resuming) \(path.shellWord)" }
}

/// No run was started in a folder that one is expected in.
public struct NoRunError: Error, Hashable, CustomStringConvertible {
    /// Where none was found.
    public let folder: String

    package init(folder: String) { self.folder = folder }

    public var description: String {
        "\(folder) is not a run folder: it has no config.json; vgg train \(Setting.folder) starts one"
    }
}

/// What a checkpoint holds beside weights: as texts, how far the training was; as tensors, what goes with the weights.
package enum CheckpointNames {
    package static let state = "vgg.state"

    /// What stands before a weight's name.
    package enum Prefix: String, CaseIterable {
        case momentum = "momentum."
        case secondMoment = "second_moment."
        /// The weights that are trained, where the others are their average.
        case trained = "trained."
    }
}
