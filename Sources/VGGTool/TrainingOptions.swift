import ArgumentParser
import VGGKit

extension Initialization: ExpressibleByArgument {}

/// The value of --freeze.
struct FreezeChoice: ExpressibleByArgument {
    /// nil for nothing.
    var part: FrozenPart?

    init?(argument: String) {
        guard argument != "none" else { return }
        guard let part = FrozenPart(rawValue: argument) else { return nil }
        self.part = part
    }
}

extension ClassWeights {
    /// The value of --class-weights: what a file says, or the same in the command line.
    fileprivate init(option: String) throws {
        let isText = option == "balanced" || option.hasPrefix("{")
        do {
            self = try ClassWeights(isText ? option : Self.text(of: HomeFolder.expandingTilde(option)))
        } catch let error as FileError {
            throw ValidationError("\(error)")
        } catch TrainingError.invalidSetting(_, let reason) {
            // The option and its value stand before it.
            throw ValidationError(reason)
        }
    }

    private static func text(of file: String) throws(FileError) -> String {
        String(
            decoding: try WholeFile.bytes(file, atMost: 1 << 20, expecting: "a list of weights"),
            as: UTF8.self)
    }
}

/// What to train and how. Everything is optional, so that a run to go on with supplies the rest.
struct TrainingOptions: ParsableArguments {
    @OptionGroup var model: ModelOptions
    @OptionGroup var head: HeadOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var folder: FolderOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var preparation: PreparationOptions

    @Option(parsing: .unconditional, help: "Passes over the training data (default: 10).")
    var epochs: Int?

    @OptionGroup var optimizer: OptimizerOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Shorten the gradients where they are together longer than this.", valueName: "norm"))
    var clipGrad: Float?

    @Option(
        parsing: .unconditional,
        help: "Update the weights by the gradients of N batches, which make a step (default: 1).")
    var gradAccumSteps: Int?

    @Option(
        parsing: .unconditional,
        help: "Train on targets of which all classes share so much alike, label smoothing (default: 0).")
    var smoothing: Float?

    @Option(
        help: ArgumentHelp(
            "How much each class counts in training: all alike (balanced), or a JSON file of names and weights.",
            valueName: "balanced|file"),
        transform: ClassWeights.init(option:))
    var classWeights: ClassWeights?

    @OptionGroup var schedule: ScheduleOptions
    @OptionGroup var augmentation: AugmentationOptions
    @OptionGroup var mixing: MixingOptions

    @Option(parsing: .unconditional, help: "Examples in a batch (default: 128).")
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: """
            Decides weights, dropout and order: the same seed, the same run, bit for bit, with the same \
            instruction set and precision (default: 0).
            """)
    var seed: UInt64?

    @Option(
        help: """
            The number format of the network's arithmetic: bf16 is mixed precision, auto (the default) is \
            the faster: bf16 where the processor has it and fp32 does not need fewer products.
            """)
    var precision: PrecisionChoice?

    @Option(help: "How random weights are drawn: xavier, as the chapter does (the default), or kaiming.")
    var weightInit: Initialization?

    @Option(
        help: ArgumentHelp(
            """
            Start from the weights of a run folder or file (safetensors or .pth), or of a model that is a part of the \
            program (\(ShippedModel.names)). Network and size are its own \
            where no option says otherwise; with other classes the last linear layer, the head, starts anew.
            """, valueName: "weights"))
    var `init`: String?

    @OptionGroup var weights: WeightsOptions

    @Option(
        help: ArgumentHelp(
            "What of the weights of --init stays as it is: features, all but the classifier; blocks:K, the "
                + "first K blocks; or none (default: none).", valueName: "none|features|blocks:K"))
    var freeze: FreezeChoice?

    @Flag(help: "Show the examples in the order in which they are stored.")
    var noShuffle = false

    @Option(
        parsing: .unconditional, help: "Train on the first N examples only; of photos, on N of all classes.")
    var trainLimit: Int?

    @Option(
        parsing: .unconditional,
        help: "Test, and validate, on the first N examples only; of photos, on N of all classes.")
    var testLimit: Int?

    @Option(parsing: .unconditional, help: "Stop after N steps over the whole run.")
    var maxSteps: Int?

    /// `base` with what was given.
    func applied(to base: TrainingConfiguration) -> TrainingConfiguration {
        var result = base
        result.model = head.applied(to: model.applied(to: base.model))
        if let data = data.data { result.data = data.name }
        if let folder = data.folder { result.dataDirectory = folder }
        selection.apply(to: &result)
        logs.apply(to: &result)
        if folder.skipBroken { result.skipBroken = true }
        if let size = data.size { result.size = size }
        if let epochs { result.epochs = epochs }
        result.optimizer = optimizer.applied(to: result.optimizer)
        if let clipGrad { result.clipGrad = clipGrad }
        if let gradAccumSteps { result.gradAccumSteps = gradAccumSteps }
        if let batchSize { result.batchSize = batchSize }
        if let seed { result.seed = seed }
        if let precision { result.precision = precision.resolved(on: .best) }
        if let weightInit { result.initialization = weightInit }
        if let path = `init` {
            let isShipped = ShippedModel(meantBy: path) != nil
            result.initialWeights = isShipped ? path : DataName.absolute(path)
        }
        if let key = weights.weightsKey { result.initialWeightsKey = key }
        if let freeze { result.freeze = freeze.part }
        if let classWeights { result.classWeights = classWeights }
        if let smoothing { result.smoothing = smoothing }
        result.schedule = schedule.applied(to: result.schedule)
        result.augmentation = augmentation.applied(to: result.augmentation)
        result.mixing = mixing.applied(to: result.mixing)
        if noShuffle { result.shuffle = false }
        if let trainLimit { result.trainLimit = trainLimit }
        if let testLimit { result.testLimit = testLimit }
        if let maxSteps { result.maxSteps = maxSteps }
        return result
    }
}
