import ArgumentParser
import VGGKit

/// A trained network and the data to try it on.
struct TrainedModelOptions: ParsableArguments {
    @Argument(help: TrainedModelOptions.help)
    var runOrWeights: String

    static let help: ArgumentHelp = """
        A run folder, a weight file (safetensors or .pth), a folder of Hugging Face's with config.json, or the name of a model \
        that is a part of the program: \(ShippedModel.names).
        """

    @OptionGroup var weights: WeightsOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var model: ModelOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var data: DataOptions

    @OptionGroup(title: "Photos and classes")
    var preparation: PreparationOptions

    @OptionGroup(title: "Photos and classes")
    var labels: LabelOptions

    @Option(
        help: """
            The number format of the network's arithmetic: fp32, bf16 (mixed precision), or auto, which is bf16 \
            where the processor has it (default: what the run, or the file, says, else fp32).
            """)
    var precision: PrecisionChoice?

    func validate() throws { try preparation.validate(size: data.size) }

    /// The weights, their network, and how pictures are prepared for it, each from the options or else from what was
    /// stored.
    /// - Parameter head: what was said of the classifier; nil where the network need not have one.
    func load(_ head: HeadOptions? = nil) throws -> LoadedModel {
        let trained = try weights.read(runOrWeights, convArch: model.rows)
        var specification = try model.specification(of: trained)
        if let head { specification = head.applied(to: specification) }
        let preprocessing = try preparation.preprocessing(
            of: trained, channels: specification.inChannels, size: data.size)
        let network = try specification.network(size: preprocessing.size)
        if head != nil { try trained.checkHasClassifier(network) }
        return LoadedModel(
            model: trained, specification: specification, network: network, preprocessing: preprocessing,
            classNames: try labels.classNames(for: trained, specification))
    }

    /// The same for photos that the command line names.
    func loadForPhotos(_ head: HeadOptions? = nil) throws -> LoadedModel {
        guard data.data == nil, data.dataDir == nil else {
            throw ValidationError("--data and --data-dir are for a data set's images, not for photos")
        }
        return try load(head)
    }

    /// The images to test the network on, whose classes are the network's, and what the weights' run knows of them.
    func testData(for loaded: LoadedModel) throws -> (data: DatasetSplits, run: RunData) {
        let trained = loaded.model
        guard let name = data.data?.name ?? trained.stored?.data else {
            throw FileError(
                trained.path,
                "does not say what it was trained on; name the data with --data, such as --data fashion-mnist"
            )
        }
        if loaded.specification.classes == 1, loaded.classNames?.count == 1 {
            throw ValidationError(
                "the network has one output, which tells two classes apart; give --labels both names, that of what it "
                    + "speaks for last")
        }
        let run = try RunData(of: trained)
        // A folder that a run remembers is that of its own data set.
        let remembered = name == trained.stored?.data && data.folder == nil ? run.directory : nil
        let whole = try Datasets.load(
            name, from: data.folder ?? remembered, isRemembered: remembered != nil,
            classNames: loaded.classNames,
            checksPhotos: false)
        let isRuns = remembered != nil || run.directory != nil && data.folder == run.directory
        let (splits, gone, trainedOn) = try run.testing(on: whole, isRuns: isRuns)
        if trainedOn > 0 {
            Console.note(
                "\(Text.count(trainedOn, "photo")) of \(ReadableNumber.grouped(splits.test.count)) in \(splits.folder) "
                    + "\(trainedOn == 1 ? "has the name of one" : "have the names of some") that the run trained on; if "
                    + "they are the same pictures, the accuracy is too high")
        }
        if !gone.isEmpty {
            let verb = gone.count == 1 ? "is" : "are"
            Console.note(
                "\(Text.count(gone.count, "test photo")) of the run \(verb) gone: \(gone.firstFew)")
        }
        try loaded.check(splits.test)
        return (splits, run)
    }

    /// Where a network with these weights runs, and in which number format. Warns where the device has no instructions for
    /// it.
    func place(
        _ model: TrainedModel, _ network: Network, batchSize: Int, _ compute: ComputeOptions
    ) -> (device: Device, precision: Precision) {
        func precision(on device: Device) -> Precision {
            self.precision?.resolved(on: device) ?? model.precision(on: device)
        }
        let device = compute.resolved(
            for: network, batchSize: batchSize, mode: .inference, precision: precision)
        precision(on: device).warnIfSlower(on: device)
        return (device, precision(on: device))
    }
}

/// Weights, and all it takes to use them.
struct LoadedModel {
    let model: TrainedModel
    let specification: ModelSpecification
    let network: Network
    let preprocessing: Preprocessing
    /// nil if they are not known.
    let classNames: ClassNames?

    /// What is taken for granted where weights do not say how pictures are prepared.
    var usual: String { preprocessing.isPlain ? "plain" : "imagenet" }

    /// None if they are not known.
    var names: [String] { classNames?.names ?? [] }

    /// How many classes the network tells apart: a single output tells two.
    var classCount: Int { specification.classes == 1 ? 2 : specification.classes }

    /// - Throws: `TrainingError.dataMismatch` if the network cannot be tested on the data set.
    func check(_ dataset: ImageDataset) throws {
        func mismatch(_ reason: String) -> TrainingError { .dataMismatch(data: dataset.name, reason: reason) }

        guard dataset.count > 0 else { throw mismatch("it has no images for testing") }
        // Of data in memory the last classes may be missing.
        let count = dataset.classNames.count
        guard dataset.hasPhotos ? count == classCount : count <= classCount else {
            throw mismatch(
                "it has \(Text.count(count, "class", plural: "classes")), but the weights \(classCount)"
                    + (dataset.hasPhotos
                        ? "; name those of the weights by --labels FILE, and the folder's are found among them"
                        : ""))
        }
    }
}

extension PreparationOptions {
    /// How pictures are prepared for weights, where these or the options say so, and else in the usual way.
    func preprocessing(of trained: TrainedModel, channels: Int, size: Int?) throws -> Preprocessing {
        try preprocessing(
            own: try ValidationError.wrapping { try trained.preprocessing(channels: channels) },
            channels: channels,
            size: size)
    }
}

extension ModelOptions {
    /// The network of the weights: what they say, with the options on top.
    /// - Throws: `FileError` if neither says which network it is.
    func specification(of trained: TrainedModel) throws -> ModelSpecification {
        if let problem = trained.problem, arch != "alexnet" { throw FileError(trained.path, "\(problem)") }
        if let own = trained.stored?.model.inChannels, let inChannels, own != inChannels {
            throw FileError(
                trained.path,
                "has \(Text.count(own, "input channel")), which does not fit --in-channels \(inChannels)")
        }
        var model = applied(to: trained.stored?.model ?? ModelSpecification())
        if let arch, let own = trained.stored?.model, arch != own.arch {
            // Who names another network means its rows, and not those that are stored, and AlexNet's are no VGG's.
            model.convArch = convArch
            if arch == "alexnet" {
                var usual = ModelSpecification()
                (usual.inChannels, usual.classes) = (own.inChannels, own.classes)
                model = applied(to: usual)
            }
        }
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
