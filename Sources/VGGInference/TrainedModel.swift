import VGGEngine
import VGGFiles
import VGGFormats
import VGGModel

/// Weights to evaluate or predict with, and what they belong to, if known.
public struct TrainedModel: Sendable {
    /// The weight file; of a model that ships with the library, its name.
    public let path: String
    /// Under the names that the file has, in its order.
    public let weights: NamedTensors
    /// What the run or the file says, else what the names and shapes of the tensors do.
    public let stored: StoredModel?
    /// Why there is nothing `stored`.
    public let problem: NotVGGError?
    /// Whether what is `stored` was found by the names and shapes of the tensors.
    public let isRecognized: Bool
    /// What people should know about how the file was read, each a line.
    public let notes: [String]
    /// Texts of the weight file.
    package let metadata: [String: String]
    /// The run that they come from; nil for a weight file.
    public let run: RunFolder?
    /// Which moment of a training they are of; nil if the file does not say.
    public var epoch: TrainedEpoch? { TrainedEpoch(metadata: metadata) }

    /// Reads a run folder's `model.safetensors`, a weight file of any format, or that of a folder as Hugging Face's
    /// libraries save a model, whose `config.json` names the classes; or takes the `ShippedModel` of that name, where there is
    /// neither file nor folder.
    /// - Parameters:
    ///   - weightsKey: where in a file that holds several the weights are, as `WeightFile` takes it.
    ///   - convArch: the rows of the network, for files that neither say which it is nor have names that do; others do
    ///     not need it.
    /// - Throws: `NoRunError`, or what `WeightFile` throws, each naming the file.
    public init(runOrWeights path: String, weightsKey: String? = nil, convArch: ConvArch? = nil) throws {
        let isFolder = FileKind(at: path) == .folder
        let shared = isFolder ? HuggingFaceFolder(path) : nil
        let run = isFolder && shared == nil ? RunFolder(path) : nil
        if let run {
            try run.checkHoldsModel()
            guard weightsKey == nil else {
                throw FileError(
                    path, "is a run folder, whose weights are under no key; leave out \(Setting.weightsKey)")
            }
            try self.init(run.weightFile(), path: run.modelPath, run: run, shared: nil, convArch: convArch)
        } else if let shipped = ShippedModel(meantBy: path) {
            guard weightsKey == nil else {
                throw FileError(path, "has its weights under no key; leave out \(Setting.weightsKey)")
            }
            try self.init(shipped: shipped)
        } else {
            let path = shared?.weightsPath ?? path
            try self.init(
                WeightFile(contentsOf: path, key: weightsKey), path: path, run: nil, shared: shared,
                convArch: convArch)
        }
    }

    /// - Parameters:
    ///   - path: of the file, or the name that errors give it.
    ///   - shared: the folder that it is in, if it is one of Hugging Face's.
    init(
        _ file: WeightFile, path: String, run: RunFolder?, shared: HuggingFaceFolder?, convArch: ConvArch?
    ) throws {
        (self.path, self.run) = (path, run)
        weights = NamedTensors(
            file.tensors.lazy.filter { tensor in
                !CheckpointNames.Prefix.allCases.contains { tensor.name.hasPrefix($0.rawValue) }
            })
        metadata = file.metadata
        // Another program may have written a run's weights anew, without what they belong to.
        let said = StoredModel(metadata: metadata) ?? run?.storedModel
        var (stored, problem, notes) = Self.recognize(weights, said, convArch)
        isRecognized = stored != nil && said == nil
        if let shared, var known = stored {
            let names = shared.classNames
            if let names, known.model.canName(names.count) { known.labels = names }
            known.preprocessing = known.preprocessing ?? shared.preprocessing
            stored = known
        }
        (self.stored, self.problem) = (stored, problem)
        self.notes = Self.notes(file) + notes
    }

    private static func notes(_ file: WeightFile) -> [String] {
        guard !file.otherKeys.isEmpty else { return [] }
        let others = file.otherKeys.map(\.quotedName).joined(separator: ", ")
        return [
            "the weights under \(file.key.quotedName) are taken; \(Setting.weightsKey) takes others: \(others)"
        ]
    }

    /// What the run or the file says of the network, else what the tensors do; or why they do not; and what to tell people.
    private static func recognize(
        _ weights: NamedTensors, _ said: StoredModel?, _ convArch: ConvArch?
    ) -> (StoredModel?, NotVGGError?, [String]) {
        do {
            if let stored = said {
                let known = try? InferredModel(weights, convArch: stored.model.rows)
                let note = WeightNaming.note(passedOver: known?.passedOver ?? [])
                return (stored, nil, note.map { [$0] } ?? [])
            }
            let inferred = try InferredModel(weights, convArch: convArch)
            return (StoredModel(model: inferred.specification, size: inferred.size), nil, inferred.notes)
        } catch {
            return (nil, error, [])
        }
    }

    /// The tensors that are `network`'s, under torchvision's names.
    /// - Throws: `FileError` if the file has other convolutions.
    public func tensors(for network: Network) throws(FileError) -> [String: Tensor] {
        do {
            return try WeightNaming.canonical(weights, for: network)
        } catch {
            throw FileError(path, "the weights are of another network: \(error.reason)")
        }
    }

    /// - Throws: `FileError` if the network makes no number a class: features are all it has.
    public func checkHasClassifier(_ network: Network) throws(FileError) {
        guard network.head == nil else { return }
        throw FileError(path, "has no classifier, only features, which vgg features writes")
    }

    /// The precision that the weights were trained in, if that is known and the device computes in it; else fp32.
    public func precision(on device: Device) -> Precision {
        let stored = stored?.precision ?? .fp32
        return device.properties.precisions.contains(stored) ? stored : .fp32
    }

    /// An executor for inference with these weights.
    /// - Parameters:
    ///   - precision: nil for `precision(on:)`.
    ///   - keptLayers: layers whose outputs are wanted, as indices of `network.layers`.
    ///   - foldsBatchNorm: into the weights of the convolutions before, which is faster; without, a run's weights give
    ///     to the bit what the run itself measured. Where layers are kept, nothing is folded.
    /// - Throws: `FileError` naming the tensor that does not fit, or what the plan throws.
    public func executor(
        for network: Network, batchSize: Int, precision: Precision? = nil, keeping keptLayers: Set<Int> = [],
        foldsBatchNorm: Bool = true, device: Device
    ) throws -> Executor {
        try packedWeights(
            for: network, batchSize: batchSize, precision: precision, keeping: keptLayers,
            foldsBatchNorm: foldsBatchNorm, executors: 1, device: device
        ).executor()
    }

    /// These weights for any number of executors, as those of `executor(for:)`.
    /// - Parameter executors: for so many there must be memory.
    public func packedWeights(
        for network: Network, batchSize: Int, precision: Precision? = nil, keeping keptLayers: Set<Int> = [],
        foldsBatchNorm: Bool = true, executors: Int, device: Device
    ) throws -> PackedWeights {
        let folded = foldsBatchNorm && keptLayers.isEmpty ? try network.foldingBatchNorm() : nil
        let plan = try Plan(
            folded?.network ?? network, batchSize: batchSize, mode: .inference,
            precision: precision ?? self.precision(on: device), keeping: keptLayers)
        let activations = device.memory(of: plan, optimizer: nil).activations
        // Beside the batch that runs, a loader has three that wait.
        let image = network.input.count * MemoryLayout<Float>.stride
        try plan.checkFits(on: device) { size in
            4 * size * image + (executors - 1) * activations / batchSize * size
        }
        return try fitting {
            let weights = try tensors(for: network)
            return try PackedWeights(folded?.weights(from: weights) ?? weights, for: plan, on: device)
        }
    }

    /// What explains the network's answers with these weights, in single precision.
    /// - Parameter layer: nil for the last ReLU before the classifier.
    /// - Throws: `FileError` naming the tensor that does not fit, or what `GradCAM` throws.
    public func gradCAM(
        for network: Network, layer: String? = nil, batchSize: Int = 1, device: Device
    ) throws -> GradCAM {
        try fitting {
            try GradCAM(
                network, weights: try tensors(for: network), layer: layer, batchSize: batchSize,
                device: device
            )
        }
    }

    /// The gradients of the network's logits with these weights.
    /// - Throws: `FileError` naming the tensor that does not fit, or what `LogitGradients` throws.
    public func logitGradients(
        for network: Network, batchSize: Int = 1, device: Device
    ) throws -> LogitGradients {
        try fitting {
            try LogitGradients(
                network, weights: try tensors(for: network), batchSize: batchSize, device: device)
        }
    }

    /// - Throws: `FileError` if the numbers that the weights gave are not all finite.
    public func checkFinite(_ numbers: some Sequence<Float>) throws(FileError) {
        try Self.checkFinite(numbers, of: path)
    }

    package static func checkFinite(_ numbers: some Sequence<Float>, of path: String) throws(FileError) {
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
