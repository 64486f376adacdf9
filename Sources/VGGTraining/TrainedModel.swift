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
    /// Under the names that the file has, in its order.
    public let weights: NamedTensors
    /// What the run or the file says, else what the names and shapes of the tensors do.
    public let stored: StoredModel?
    /// Why there is nothing `stored`.
    public let problem: NotVGGError?
    /// What people should know about how the file was read, each a line.
    public let notes: [String]
    /// Texts of the weight file.
    let metadata: [String: String]
    /// Where the run found its data; nil for the usual places.
    public let dataDirectory: String?
    /// Which photos of that folder the run tested itself on; nil if the folder says so.
    public let validation: ValidationSplit?
    /// The photos of the run; nil if it keeps no list of them.
    let photos: RunPhotos?
    /// Whether the run leaves out photos that cannot be read.
    public let skipsBroken: Bool

    /// Reads a run folder's `model.safetensors`, a weight file of any format, or that of a folder as Hugging Face's
    /// libraries save a model, whose `config.json` names the classes.
    /// - Parameter weightsKey: where in a file that holds several the weights are, as `WeightFile` takes it.
    /// - Throws: `TrainingError.noRun`, or what `WeightFile` throws, each naming the file.
    public init(runOrWeights path: String, weightsKey: String? = nil) throws {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let shared = exists && isDirectory.boolValue ? HuggingFaceFolder(path) : nil
        guard exists, isDirectory.boolValue, shared == nil else {
            self.path = shared?.weightsPath ?? path
            let file = try WeightFile(contentsOf: self.path, key: weightsKey)
            weights = NamedTensors(
                file.tensors.lazy.filter { !$0.name.hasPrefix(Checkpoint.momentumPrefix) })
            metadata = file.metadata
            dataDirectory = nil
            validation = nil
            photos = nil
            skipsBroken = false
            var (stored, problem) = Self.recognize(weights, metadata)
            if let shared, var known = stored {
                let names = shared.classNames
                if names?.count == known.model.classes { known.labels = names }
                known.preprocessing = known.preprocessing ?? shared.preprocessing
                stored = known
            }
            (self.stored, self.problem) = (stored, problem)
            notes = Self.notes(file)
            return
        }
        let folder = RunFolder(path)
        if !folder.holdsRun, let reason = WeightFile.objection(toFolder: path) {
            throw FileError(path, reason)
        }
        let configuration = try folder.readConfiguration()
        guard weightsKey == nil else {
            throw FileError(path, "is a run folder, whose weights are under no key; leave out --weights-key")
        }
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
        notes = []
        dataDirectory = configuration.dataDirectory
        validation = configuration.validation
        photos = try folder.readPhotos()
        skipsBroken = configuration.skipBroken == true
    }

    private static func notes(_ file: WeightFile) -> [String] {
        guard !file.otherKeys.isEmpty else { return [] }
        let others = file.otherKeys.map(\.quotedName).joined(separator: ", ")
        return ["the weights under \(file.key.quotedName) are taken; --weights-key takes others: \(others)"]
    }

    private static func recognize(
        _ weights: NamedTensors, _ metadata: [String: String]
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
    ///   - precision: nil for the one they were trained in, or fp32 if that is not known.
    ///   - keptLayers: layers whose outputs are wanted, as indices of `network.layers`.
    ///   - foldsBatchNorm: into the weights of the convolutions before, which is faster; without, a run's weights give
    ///     to the bit what the run itself measured. Where layers are kept, nothing is folded.
    ///   - freeMemory: bytes; more is not reserved. nil if they are not known.
    /// - Throws: `FileError` naming the tensor that does not fit, or what the plan throws.
    public func executor(
        for network: Network, batchSize: Int, precision: Precision? = nil, keeping keptLayers: Set<Int> = [],
        foldsBatchNorm: Bool = true, device: Device, freeMemory: Int? = FreeMemory.bytes
    ) throws -> Executor {
        let folded = foldsBatchNorm && keptLayers.isEmpty ? try network.foldingBatchNorm() : nil
        let plan = try Plan(
            folded?.network ?? network, batchSize: batchSize, mode: .inference,
            precision: precision ?? stored?.precision ?? .fp32, keeping: keptLayers)
        try plan.checkFits(in: freeMemory, threads: device.threads) { batchSize in
            BatchLoader.bytes(of: network.input, batchSize: batchSize)
        }
        let executor = try Executor(plan: plan, device: device)
        try fitting {
            let weights = WeightNaming.canonical(weights, for: network)
            try executor.load(try folded?.weights(from: weights) ?? weights)
        }
        return executor
    }

    /// What explains the network's answers with these weights, in single precision.
    /// - Parameter layer: nil for the last ReLU before the classifier.
    /// - Throws: `FileError` naming the tensor that does not fit, or what `GradCAM` throws.
    public func gradCAM(for network: Network, layer: String? = nil, device: Device) throws -> GradCAM {
        try fitting {
            try GradCAM(
                network, weights: WeightNaming.canonical(weights, for: network), layer: layer, device: device)
        }
    }

    /// - Throws: `FileError` if the numbers that the weights gave are not all finite.
    public func checkFinite(_ numbers: some Sequence<Float>) throws(FileError) {
        guard !numbers.allSatisfy(\.isFinite) else { return }
        throw FileError(path, "gives numbers that are not finite: the weights are damaged, or diverged")
    }

    /// Names the file where weights do not fit.
    private func fitting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as WeightsError {
            throw FileError(path, "\(error)")
        }
    }
}
