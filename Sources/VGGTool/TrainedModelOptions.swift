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
    func load() throws -> (model: TrainedModel, network: Network, size: Int, data: DatasetSplits) {
        let trained = try weights.read(runOrWeights)
        let specification = try model.specification(of: trained)
        let size = data.size ?? trained.stored?.size ?? 224
        let network = try specification.network(size: size)
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
    func prepared(
        for photos: PhotoOptions
    ) throws -> (model: TrainedModel, network: Network, preprocessing: Preprocessing) {
        guard data.data == nil, data.dataDir == nil else {
            throw ValidationError("--data and --data-dir are for a data set's images, not for photos")
        }
        let trained = try weights.read(runOrWeights)
        let specification = try model.specification(of: trained)
        let preprocessing = try photos.preprocessing(
            for: trained, channels: specification.inChannels, size: data.size)
        return (trained, try specification.network(size: preprocessing.size), preprocessing)
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
        if let problem = trained.problem, arch == nil, convArch == nil {
            throw FileError(trained.path, "\(problem); say which network it is with --arch or --conv-arch")
        }
        return applied(to: trained.stored?.model ?? ModelSpecification())
    }
}
