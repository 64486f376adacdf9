import ArgumentParser
import VGGKit

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speed and memory, step by step of the plan.",
        discussion: """
            Synthetic images; nothing is read or kept. Without --arch or --conv-arch: the chapter's slim VGG-11 \
            (a quarter of the channels). In inference batch norm is folded into the convolutions, and layers are counted \
            without it.
            Examples:
              vgg bench
              vgg bench --mode infer --arch vgg16 --in-channels 3 --batch-size 16
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var head: HeadOptions

    /// What is measured.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case train, infer, stylize, distance
    }

    @Option(
        help: """
            Training steps, inference, steps of style transfer, or distances of pairs by LPIPS (which needs --arch vgg16); the \
            last two in fp32 unless --precision bf16 is given.
            """)
    var mode = Mode.train

    @Option(parsing: .unconditional, help: "The momentum of SGD in training steps.")
    var momentum: Float = 0

    @Option(
        help: ArgumentHelp(
            "What is not trained in training steps: features, all but the classifier; blocks:K, the first K blocks; "
                + "or none (default: none).", valueName: "none|features|blocks:K"))
    var freeze: FreezeChoice?

    @OptionGroup var precision: PrecisionOption

    @Option(parsing: .unconditional, help: "The width and height of the images, in pixels.")
    var size = 224

    @Option(parsing: .unconditional, help: "Images in a batch.")
    var batchSize = 128

    @Option(parsing: .unconditional, help: "Batches to measure, after two that warm up.")
    var steps = 10

    @OptionGroup(title: "Device") var compute: ComputeOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        try ValidationError.check("--batch-size", batchSize, in: SettingRange.batchSize)
        try ValidationError.check("--steps", steps, in: SettingRange.measuredSteps)
        guard (0..<1).contains(momentum) else {
            throw ValidationError("--momentum must be at least 0 and less than 1, not \(momentum)")
        }
        guard mode == .train || (momentum == 0 && freeze?.part == nil) else {
            throw ValidationError("--momentum and --freeze are for --mode train")
        }
        try ValidationError.wrapping {
            let network = try network
            if let part = freeze?.part { _ = try network.layerCount(of: part) }
        }
    }

    private var network: Network {
        get throws { try head.applied(to: model.applied(to: model.base)).network(size: size) }
    }

    func run() throws {
        let network = try network
        if let work = PerceptionBenchmark.Work(rawValue: mode.rawValue) {
            return try measure(work, network)
        }
        let optimizer = Optimizer(
            learningRate: TrainingConfiguration().optimizer.learningRate, momentum: momentum)
        func chosen(on device: Device) -> Precision {
            mode == .train
                ? precision.precision.resolved(training: network, on: device)
                : precision.precision.resolved(on: device)
        }
        let device = compute.resolved(
            for: network, batchSize: batchSize, mode: mode == .train ? .training : .inference,
            optimizer: mode == .train ? optimizer : nil, precision: chosen)
        chosen(on: device).warnIfSlower(on: device)
        let result = try Benchmark(
            network: network, work: mode == .train ? .train : .infer, precision: chosen(on: device),
            batchSize: batchSize,
            optimizer: optimizer, frozen: freeze?.part, device: device
        ).run(steps: steps)
        switch format.format {
        case .json: try Console.print(json: result)
        case .text: try Console.print(result.text(width: Console.outputColumns))
        }
    }

    private func measure(_ work: PerceptionBenchmark.Work, _ network: Network) throws {
        guard network.input.dimensions[0] == 3 else {
            throw ValidationError("--mode \(mode.rawValue) is of pictures in colours; use --in-channels 3")
        }
        let device = compute.resolved
        // As `vgg stylize` and `vgg distance` have it, unless it is said.
        let chosen = precision.precision == .bf16 ? Precision.bf16 : .fp32
        chosen.warnIfSlower(on: device)
        let result = try PerceptionBenchmark(
            work: work, network: try network.withoutClassifier(), precision: chosen, size: size,
            batchSize: work == .stylize ? 1 : batchSize, device: device
        ).run(steps: steps)
        switch format.format {
        case .json: try Console.print(json: result)
        case .text: try Console.print(result.text)
        }
    }
}
