import Foundation
import VGGEngine
import VGGFiles
import VGGFormats
import VGGModel

/// What weights belong to: kept in the metadata of the weight files this package writes, under `vgg.model`,
/// so that such a file can be used without saying which model it is.
public struct StoredModel: Hashable, Sendable, Codable {
    public var model: ModelSpecification
    /// The width and height of the images it was trained on, in pixels.
    public var size: Int
    /// The data set it was trained on; nil if the file does not say.
    public var data: String?
    /// The number format it was trained in; nil if the file does not say.
    public var precision: Precision?

    private static let metadataKey = "vgg.model"

    public init(
        model: ModelSpecification, size: Int, data: String? = nil, precision: Precision? = nil
    ) {
        self.model = model
        self.size = size
        self.data = data
        self.precision = precision
    }

    /// What the configuration trains.
    public init(_ configuration: TrainingConfiguration) {
        self.init(
            model: configuration.model, size: configuration.size, data: configuration.data,
            precision: configuration.precision)
    }

    /// The stored model of a weight file's metadata; nil if it holds none that can be understood.
    init?(metadata: [String: String]) {
        guard let text = metadata[Self.metadataKey],
            let stored = try? JSONText.decode(StoredModel.self, from: text)
        else { return nil }
        self = stored
    }

    var metadata: [String: String] {
        get throws { [Self.metadataKey: try JSONText.line(self), "format": "pt"] }
    }
}

/// Weights to evaluate or predict with, and what they belong to, if known.
public struct TrainedModel: Sendable {
    /// The weight file.
    public let path: String
    /// Under the names that the file has.
    public let weights: [String: Tensor]
    /// The weight file's metadata.
    public let metadata: [String: String]
    /// What the run or the file says, else what the names and shapes of the tensors do.
    public let stored: StoredModel?
    /// Why there is nothing `stored`.
    public let problem: NotVGGError?
    /// Where the run found its data; nil for the usual places.
    public let dataDirectory: String?

    /// Reads a run folder's `model.safetensors`, or a weight file of any format.
    /// - Throws: `TrainingError.noRun`, or what `WeightFile` throws, each naming the file.
    public init(runOrWeights path: String) throws {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard exists, isDirectory.boolValue else {
            self.path = path
            let file = try WeightFile(contentsOf: path)
            weights = file.tensors.filter { !$0.key.hasPrefix(Checkpoint.momentumPrefix) }
            metadata = file.metadata
            dataDirectory = nil
            (stored, problem) = Self.recognize(weights, metadata)
            return
        }
        let folder = RunFolder(path)
        let configuration = try folder.readConfiguration()
        guard FileManager.default.fileExists(atPath: folder.modelPath) else {
            throw FileError(
                folder.modelPath,
                "is not there yet: it is written after the first epoch; go on with vgg train --resume \(path)"
            )
        }
        self.path = folder.modelPath
        let file = try Safetensors(contentsOf: folder.modelPath)
        weights = file.tensors
        metadata = file.metadata
        stored = StoredModel(configuration)
        problem = nil
        dataDirectory = configuration.dataDirectory
    }

    private static func recognize(
        _ weights: [String: Tensor], _ metadata: [String: String]
    ) -> (StoredModel?, NotVGGError?) {
        if let stored = StoredModel(metadata: metadata) { return (stored, nil) }
        do {
            let inferred = try InferredModel(weights)
            return (StoredModel(model: inferred.specification, size: inferred.size), nil)
        } catch {
            return (nil, error)
        }
    }

    /// An executor for inference with these weights.
    /// - Parameter precision: nil for the one they were trained in, or `.automatic` if that is not known.
    /// - Throws: `FileError` naming the tensor that does not fit, or what the plan throws.
    public func executor(
        for network: Network, batchSize: Int, precision: Precision? = nil, device: Device
    ) throws -> Executor {
        let plan = try Plan(
            network, batchSize: batchSize, mode: .inference,
            precision: precision ?? stored?.precision ?? .automatic)
        let executor = try Executor(plan: plan, device: device)
        do {
            try executor.load(WeightNaming.canonical(weights, for: network))
        } catch {
            throw FileError(path, "\(error)")
        }
        return executor
    }
}
