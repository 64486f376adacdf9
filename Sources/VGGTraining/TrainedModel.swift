import Foundation
import VGGData
import VGGEngine
import VGGFiles
import VGGFormats
import VGGModel

/// Weights to evaluate or predict with, and what they belong to, if known.
public struct TrainedModel: Sendable {
    /// The weight file.
    public let path: String
    /// Under the names that the file has.
    public let weights: [String: Tensor]
    /// What the run or the file says, else what the names and shapes of the tensors do.
    public let stored: StoredModel?
    /// Why there is nothing `stored`.
    public let problem: NotVGGError?
    /// Texts of the weight file.
    let metadata: [String: String]
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
    /// - Parameters:
    ///   - precision: nil for the one they were trained in, or `.automatic` if that is not known.
    ///   - freeMemory: bytes; more is not reserved. nil if they are not known.
    /// - Throws: `FileError` naming the tensor that does not fit, or what the plan throws.
    public func executor(
        for network: Network, batchSize: Int, precision: Precision? = nil, device: Device,
        freeMemory: Int? = FreeMemory.bytes
    ) throws -> Executor {
        let plan = try Plan(
            network, batchSize: batchSize, mode: .inference,
            precision: precision ?? stored?.precision ?? .automatic)
        try plan.checkFits(in: freeMemory, threads: device.threads) { batchSize in
            BatchLoader.bytes(of: network.input, batchSize: batchSize)
        }
        let executor = try Executor(plan: plan, device: device)
        do {
            try executor.load(WeightNaming.canonical(weights, for: network))
        } catch {
            throw FileError(path, "\(error)")
        }
        return executor
    }
}
