import ArgumentParser
import Foundation
import VGGKit

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a network and keep the run in a folder.",
        discussion: """
            Without options: the chapter's experiment, the slim VGG-11 (a quarter of the channels) on \
            Fashion-MNIST at 224×224 for ten epochs. Ctrl-C saves the run and says how to go on.
            Examples:
              vgg train --recipe quick
              vgg train --recipe fashion-mnist --seed 1
              vgg train --arch vgg11_bn --width-divisor 4 --size 96 --run-dir runs/bn96
              vgg train --data folder:birds --val-split 0.2 --arch vgg11_bn --size 128
              vgg train --epochs 50 --val-split 0.1 --keep best --patience 5
              vgg train --resume runs/bn96
              mpirun -n 2 vgg train --run-dir runs/two
              vgg train --recipe quick --lr-find
              vgg train --init vgg.pth --data folder:pets --val-split 0.2 --freeze features
            """)

    @Option(
        name: [.customLong("recipe"), .customLong("preset")],
        help: "A training by name, which other options change; vgg recipes says what each stands for.")
    var recipe: Recipe?

    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(
        help:
            "The folder to keep the run in (default: runs/DATE-TIME-ARCH, or runs/DATE-TIME-vgg with --conv-arch).",
        transform: HomeFolder.expandingTilde)
    var runDir: String?

    @Option(help: "Go on with the run in this folder.", transform: HomeFolder.expandingTilde)
    var resume: String?

    @Flag(help: "Only measure a few steps and say how long the training would take.")
    var estimate = false

    @Option(
        help: ArgumentHelp(
            """
            Whether several processes share each batch out: mpi, none, or auto, which is mpi where mpirun or srun has \
            started them.
            """, valueName: "auto|none|mpi"))
    var distributed = DistributedChoice.auto

    @OptionGroup var rates: LearningRateTestOptions
    @OptionGroup var output: FormatOption

    /// Whether a training is only tried, and nothing is kept.
    private var isTrial: Bool { estimate || rates.lrFind }

    func validate() throws {
        if rates.lrFind {
            let others = [
                ("--estimate", estimate), ("--run-dir", runDir != nil), ("--resume", resume != nil),
            ]
            for (option, isGiven) in others where isGiven {
                throw ValidationError(
                    "--lr-find is in place of a training, of which nothing is kept; leave out \(option)")
            }
            guard training.maxSteps == nil else {
                throw ValidationError("--max-steps is for a training; --lr-find makes --lr-find-steps")
            }
        }
        if isTrial, distributed == .mpi {
            throw ValidationError(
                "--distributed mpi is for a training; leave it out with \(estimate ? "--estimate" : "--lr-find")"
            )
        }
        guard runDir == nil || resume == nil else {
            throw ValidationError("--run-dir starts a run and --resume goes on with one; give one of them")
        }
        try training.preparation.validate(size: training.data.size)
        if let recipe, recipe.needsWeights, training.`init` == nil, resume == nil {
            throw ValidationError("--recipe \(recipe.name) needs weights to start from; name them by --init")
        }
        // What a run that is resumed is short of is in its folder.
        guard resume == nil else { return }
        try training.optimizer.validateAnew()
        try ValidationError.wrapping {
            // The network of a weight file is known when the file has been read.
            let wanted = wanted()
            if training.`init` == nil { try wanted.validate() } else { try wanted.validateSettings() }
            try wanted.checkSelection(hasValidation: wanted.validationSplit != nil)
        }
    }

    /// The configuration asked for: the options on top of the run's, or else of the usual one.
    private func wanted(_ stored: TrainingConfiguration? = nil) -> TrainingConfiguration {
        var usual = TrainingConfiguration()
        usual.model = training.model.base
        var result = training.applied(to: stored ?? usual)
        // A run that goes on does so in the format that was chosen when it began.
        if let stored, training.precision == .auto { result.precision = stored.precision }
        return result
    }

    /// What follows from the data where nothing else was said: the network's input channels and classes, and how images are
    /// prepared.
    /// - Parameter weights: what a new run starts from; nil for random weights, and for a run that goes on.
    private func fit(
        _ configuration: inout TrainingConfiguration, to data: ImageDataset, isResumed: Bool,
        _ weights: TrainedModel?
    ) throws {
        // Images become grey or coloured as the weights expect them.
        if !isResumed, configuration.initialWeights == nil, training.model.inChannels == nil {
            configuration.model.inChannels = data.channels
        }
        // Files may be named after a known set though they were asked for by another name.
        if !isResumed, !data.hasPhotos { configuration.data = data.name }
        if !isResumed, training.model.classes == nil { configuration.model.classes = data.classNames.count }
        var own = configuration.preprocessing
        let channels = configuration.model.inChannels
        if let weights { own = try weights.preprocessing(channels: channels) }
        guard own != nil || training.preparation.isGiven else { return }
        let usual = try Preprocessing.plain(configuration.size, channels: channels == 1 ? .grey : .rgb)
        configuration.preprocessing = try training.preparation.preprocessing(
            own: own ?? usual, channels: channels, size: configuration.size)
    }

    /// Where the training runs, and for a new run what trains fastest there. A run that goes on stays where it was, if that
    /// is there and nothing else was asked for.
    private func place(_ configuration: inout TrainingConfiguration, isResumed: Bool) throws -> Device {
        if isResumed {
            let own = compute.device == "auto" ? configuration.device ?? "cpu" : compute.device
            let device = Device.named(own, threads: compute.threads) ?? compute.resolved
            try compute.checkThreads(on: device)
            return device
        }
        // A network that cannot be made is refused behind.
        guard let network = try? configuration.model.network(size: configuration.size) else {
            return compute.resolved
        }
        func precision(on device: Device) -> Precision {
            (training.precision ?? .auto).resolved(training: network, on: device)
        }
        let device = compute.resolved(
            for: network, batchSize: configuration.batchSize, mode: .training,
            optimizer: configuration.optimizer, precision: precision)
        configuration.precision = precision(on: device)
        return device
    }

    /// The same for a new run, whose network and size are those of the weights it starts from, if there are any.
    /// - Returns: also these weights; nil for random ones.
    private func wantedAnew() throws -> (TrainingConfiguration, TrainedModel?) {
        var configuration = wanted()
        guard let path = configuration.initialWeights else { return (configuration, nil) }
        let weights = try training.weights.read(path, convArch: training.model.rows)
        configuration.model = training.head.applied(to: try training.model.specification(of: weights))
        // A file without a classifier gets one; how many classes it has, the data say.
        if configuration.model.classes == 0, training.model.classes == nil {
            configuration.model.classes = TrainingConfiguration().model.classes
        }
        configuration.size = training.data.size ?? weights.stored?.size ?? configuration.size
        return (configuration, weights)
    }

    func run() throws {
        Signals.prepareTraining()
        guard let ranks = try isTrial ? nil : distributed.communicator() else { return try run(with: nil) }
        try ranks.together { if ranks.rank == 0 { try run(with: ranks) } else { try join(ranks) } }
    }

    /// - Parameter ranks: the processes that train together with this one, the first; nil to train alone.
    private func run(with ranks: MPI?) throws {
        let resumed = resume.map(RunFolder.init)
        var (configuration, weights) =
            if let resumed { (wanted(try resumed.readConfiguration()), TrainedModel?.none) } else {
                try wantedAnew()
            }
        // Everything that can be checked is, before data are fetched and memory is taken.
        try configuration.validate()
        guard training.model.dropout == nil || !configuration.model.hiddenFeatures.isEmpty else {
            throw ModelError.invalidSetting(
                .dropout,
                reason: "follows the classifier's hidden layers, of which there are none; "
                    + "\(Setting.blockDropout) is for the blocks")
        }
        let folder = resumed ?? runDir.map(RunFolder.init) ?? .unused(Self.newFolder(configuration))
        if let resumed {
            // What the run cannot get any more needs no comparison.
            try configuration.checkSelection(
                hasValidation: resumed.readConfiguration().validationSplit != nil, isResumed: true)
            try folder.checkCanGoOn(with: configuration)
        } else if folder.holdsRun {
            throw TrainingError.runExists(folder: folder.path)
        }
        // A run that goes on and keeps a list of its photos takes them from wherever they are now.
        let photos = isTrial ? nil : try resumed?.readPhotos()
        let validation = photos == nil ? configuration.validation : nil
        let data = try Datasets.load(
            configuration.data, from: configuration.dataDirectory,
            isRemembered: resumed != nil && training.data.folder == nil, validation: validation,
            classNames: configuration.labels.map { ClassNames($0) }, checksPhotos: false)
        try fit(&configuration, to: data.train, isResumed: resumed != nil, weights)
        var device = try place(&configuration, isResumed: resumed != nil)
        if let ranks {
            if compute.threads == nil, device.properties.kind == .cpu {
                device = .cpu(threads: ranks.threads(of: device))
            }
            let run = SharedRun(configuration: configuration, photos: photos)
            _ = try ranks.broadcast(Array(JSONText.line(run).utf8))
        }
        configuration.precision.warnIfSlower(on: device, mayChange: resumed == nil)
        // An estimate needs no weights that may be gone: those of the run are as good.
        if isTrial, let resumed, configuration.initialWeights != nil {
            weights = try? TrainedModel(runOrWeights: resumed.path)
        }
        if configuration.skipBroken == true, !isTrial {
            Console.note("reads all photos first, to find those that are broken")
        }
        let setup = try TrainingSetup(
            configuration, training: data.train, test: data.test, validation: data.validation,
            device: device, folder: isTrial ? nil : folder, resuming: resumed != nil && !isTrial,
            weights: weights, ranks: ranks?.count ?? 1)
        weights = nil

        if rates.lrFind { return try rates.run(setup, format: output.format) }

        if estimate {
            let estimate = try Trainer.estimate(setup)
            switch output.format {
            case .json: try Console.print(json: estimate)
            case .text: try Console.print(text(estimate, on: device))
            }
            return
        }
        let trainer = try Trainer(consume setup, with: ranks)
        Signals.beginTraining()
        for remark in trainer.remarks { Console.note(remark) }
        try Self.train(
            trainer, folder: trainer.folder ?? folder, isResumed: resumed != nil, format: output.format)
    }

    private static func train(
        _ trainer: Trainer, folder: RunFolder, isResumed: Bool, format: OutputFormat
    ) throws {
        var display = TrainingDisplay(folder: folder, isResumed: isResumed)
        var failure: OutputError?
        let summary = try trainer.run { event in
            do {
                switch format {
                case .json: if event.isForLog { try Console.print(json: event.spelledAsOptions) }
                case .text: try display.show(event)
                }
            } catch let error as OutputError {
                failure = failure ?? error
            } catch {
                // Every event can be encoded: its numbers and texts are plain.
            }
        } shouldStop: {
            Signals.isStopRequested || failure != nil
        }
        if var failure, !Signals.isStopRequested {
            // What was trained is saved, but nobody has been told.
            let advice = "the run is saved; go on with: \(folder.resumption)"
            if failure.isClosedPipe { Console.error(advice) } else { failure.advice = "; \(advice)" }
            throw failure
        }
        guard let summary else { throw ExitCode(Signals.exitCode) }
        if format == .text { try display.finish(summary) }
    }

    /// `runs/2026-01-31-235959-vgg11`
    private static func newFolder(_ configuration: TrainingConfiguration) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd-HHmmss"
        let network = configuration.model.convArch == nil ? configuration.model.arch : "vgg"
        return "runs/\(formatter.string(from: Date()))-\(network)"
    }

    private func text(_ estimate: TrainingEstimate, on device: Device) -> String {
        """
        the whole training would take about \(Text.duration(estimate.seconds)) \
        on \(device) \
        \(device.properties.kind == .cpu ? "with \(Text.count(device.threads, "thread"))" : "(\(device.properties.hardware))")
        \(Text.count(estimate.steps, "step")) of \(Text.fixed(estimate.secondsPerStep, 3)) s \
        (\(Text.fixed(estimate.examplesPerSec, 1)) examples/sec), \
        \(Text.count(estimate.epochs, "test")) of \(Text.fixed(estimate.secondsPerTest, 1)) s, \
        \(ReadableNumber.bytes(estimate.memory.total)) of memory; loading alone makes \
        \(Text.fixed(estimate.loadedExamplesPerSec, 0)) examples/sec
        """
    }
}

extension TrainingEvent {
    /// The same with options in its advice, in place of settings.
    fileprivate var spelledAsOptions: TrainingEvent {
        guard case .diagnosis(var diagnosis) = self else { return self }
        diagnosis.advice = diagnosis.advice.map(Setting.spelledAsOptions)
        return .diagnosis(diagnosis)
    }

    /// Whether programs that read the events want this one: steps as seldom as in `metrics.jsonl`.
    fileprivate var isForLog: Bool {
        switch self {
        case .step(let metrics): metrics.isRecorded
        case .testing: false
        default: true
        }
    }
}
