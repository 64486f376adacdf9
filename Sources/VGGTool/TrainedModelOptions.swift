import ArgumentParser
import VGGKit

/// A trained network and the data to try it on.
struct TrainedModelOptions: ParsableArguments {
    @Argument(
        help:
            "A run folder, a weight file (safetensors or .pth), or a folder of Hugging Face's with config.json."
    )
    var runOrWeights: String

    @OptionGroup var weights: WeightsOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var model: ModelOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var data: DataOptions

    @Option(
        help: """
            The number format of the network's arithmetic: fp32, bf16 (mixed precision), or auto, which is bf16 \
            where the processor has it (default: what the run, or the file, says, else fp32).
            """)
    var precision: PrecisionChoice?

    func validate() throws {
        guard data.size ?? 1 >= 1 else {
            throw ValidationError("--size must be at least 1, not \(data.size ?? 0)")
        }
    }

    /// The weights, their network and the data, each from the options or else from what was stored.
    func load(
        _ head: HeadOptions
    ) throws -> (model: TrainedModel, network: Network, size: Int, data: DatasetSplits) {
        let trained = try weights.read(runOrWeights, convArch: model.rows)
        let specification = head.applied(to: try model.specification(of: trained))
        let size = data.size ?? trained.stored?.size ?? 224
        let network = try specification.network(size: size)
        try trained.checkHasClassifier(network)
        let splits = try loadData(for: trained, channels: specification.inChannels, size: size)
        try specification.check(splits.test)
        warnIfEmulated(trained)
        return (trained, network, size, splits)
    }

    private func loadData(for trained: TrainedModel, channels: Int, size: Int) throws -> DatasetSplits {
        guard let name = data.data?.name ?? trained.stored?.data else {
            throw FileError(
                trained.path,
                "does not say what it was trained on; name the data with --data, such as --data fashion-mnist"
            )
        }
        // A folder that a run remembers is that of its own data set.
        let remembered = name == trained.stored?.data && data.folder == nil ? trained.dataDirectory : nil
        let loaded = try Datasets.load(
            name, from: data.folder ?? remembered, classNames: trained.classNames.map { ClassNames($0) },
            checksPhotos: false)
        guard loaded.train.hasPhotos else { return loaded }
        let (splits, gone) = try trained.testing(on: loaded, isRuns: remembered != nil)
        if !gone.isEmpty {
            let verb = gone.count == 1 ? "is" : "are"
            Console.note(
                "\(Text.count(gone.count, "test photo")) of the run \(verb) gone: \(Text.list(gone))")
        }
        return splits.prepared(by: try trained.preprocessing(channels: channels).resized(to: size))
    }

    /// The weights, their network and how photos are prepared for it.
    /// - Parameter head: what was said of the classifier; nil where the network need not have one.
    func prepared(
        for photos: PhotoOptions, _ head: HeadOptions? = nil
    ) throws -> (model: TrainedModel, network: Network, preprocessing: Preprocessing) {
        guard data.data == nil, data.dataDir == nil else {
            throw ValidationError("--data and --data-dir are for a data set's images, not for photos")
        }
        let trained = try weights.read(runOrWeights, convArch: model.rows)
        var specification = try model.specification(of: trained)
        if let head { specification = head.applied(to: specification) }
        let preprocessing = try photos.preprocessing(
            for: trained, channels: specification.inChannels, size: data.size)
        let network = try specification.network(size: preprocessing.size)
        if head != nil { try trained.checkHasClassifier(network) }
        return (trained, network, preprocessing)
    }

    /// Warns where the precision that the weights will run in has no instructions on this processor.
    func warnIfEmulated(_ trained: TrainedModel) {
        (precision?.resolved ?? trained.stored?.precision)?.warnIfEmulated()
    }
}

extension ModelOptions {
    /// The network of the weights: what they say, with the options on top.
    /// - Throws: `FileError` if neither says which network it is.
    func specification(of trained: TrainedModel) throws -> ModelSpecification {
        if let problem = trained.problem, arch != "alexnet" { throw FileError(trained.path, "\(problem)") }
        var model = applied(to: trained.stored?.model ?? ModelSpecification())
        guard trained.isRecognized, let stored = trained.stored?.model, try rows != nil else { return model }
        // The rows that were asked for are the file's by now, under the name that they have there.
        if let arch, arch.hasSuffix("_bn") != stored.hasBatchNorm {
            throw FileError(
                trained.path,
                "has \(stored.hasBatchNorm ? "" : "no ")batch norm, which does not fit --arch \(arch)")
        }
        (model.arch, model.convArch, model.widthDivisor) = (stored.arch, stored.convArch, stored.widthDivisor)
        return model
    }
}
