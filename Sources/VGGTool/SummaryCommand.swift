import ArgumentParser
import Foundation
import VGGKit

struct SummaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "Print a network's shapes, parameters, multiply-accumulates and memory.",
        discussion: """
            Without options: VGG-11 for one input channel and ten classes, as the chapter prints it. The memory of \
            inference is that of vgg predict; eval and features keep batch norm apart and take more.
            Examples:
              vgg summary --arch vgg16 --in-channels 3 --classes 1000 --by layer
              vgg summary --width-divisor 4 --plan --batch-size 128
              vgg summary --arch vgg16 --draw vgg16.svg
            """)

    enum Detail: String, ExpressibleByArgument, CaseIterable {
        case block, layer
    }

    @OptionGroup var model: ModelOptions
    @OptionGroup var head: HeadOptions

    @Option(parsing: .unconditional, help: "The width and height of the images, in pixels.")
    var size = 224

    @Option(parsing: .unconditional, help: "Images in a batch.")
    var batchSize = 1

    @Option(help: "One line a block, as the chapter prints it, or one a layer.")
    var by = Detail.block

    @Flag(
        help: """
            Also print the fused steps of a training, their kernels, layouts, memory and tasks on --threads: of the forward \
            pass, the input's gradient and the weights' gradient.
            """)
    var plan = false

    @Option(
        help: ArgumentHelp(
            "Also draw the network, block by block, into this file, .svg or .png.", valueName: "file"),
        transform: HomeFolder.expandingTilde)
    var draw: String?

    @OptionGroup var precision: PrecisionOption
    @OptionGroup(title: "Device") var compute: ComputeOptions
    @OptionGroup var output: FormatOption

    private var isSVG: Bool { draw?.lowercased().hasSuffix(".svg") ?? false }

    func validate() throws {
        if let draw, !isSVG, !draw.lowercased().hasSuffix(".png") {
            throw ValidationError("\(draw) must end in .svg or .png, which says what is drawn")
        }
        try ValidationError.check("--batch-size", batchSize, in: SettingRange.batchSize)
        try ValidationError.wrapping { _ = try specification.network(size: size) }
    }

    private var specification: ModelSpecification {
        head.applied(to: model.applied(to: ModelSpecification()))
    }

    func run() throws {
        let specification = specification
        let network = try specification.network(size: size)
        let isTraining = network.head != nil
        let device = compute.resolved(
            for: network, batchSize: batchSize, mode: isTraining ? .training : .inference,
            optimizer: isTraining ? TrainingConfiguration().optimizer : nil
        ) { precision.precision.resolved(training: network, on: $0) }
        let summary = try Summary(
            network, batchSize: batchSize,
            precision: precision.precision.resolved(training: network, on: device), device: device,
            withPlan: plan)
        if let draw {
            let drawing = NetworkDrawing(
                network, title: specification.name, remarks: summary.memoryLines)
            try AtomicFile.replace(draw, with: isSVG ? Data(drawing.svg().utf8) : drawing.png())
        }
        switch (output.format, by) {
        case (.json, _): try Console.print(json: summary)
        case (.text, .block): try Console.print(summary.blockText(width: Console.outputColumns))
        case (.text, .layer): try Console.print(summary.layerText(width: Console.outputColumns))
        }
    }
}

/// What `vgg summary` says about a network.
private struct Summary: Encodable {
    struct Layer: Encodable {
        var name: String
        var kind: String
        /// The output's shape, the batch first.
        var output: [Int]
        var params: Int
        /// Multiply-accumulates per image.
        var macs: Int
        /// Bytes of the output for the whole batch.
        var activationBytes: Int
    }

    struct Block: Encodable {
        var kind: String
        var output: [Int]
        var params: Int
        var macs: Int
    }

    struct Memory: Encodable {
        /// Bytes, all buffers together; of training, nil for a network without a classifier.
        var training: Int?
        var inference: Int
    }

    var batchSize: Int
    var layers: [Layer]
    var blocks: [Block]
    var params: Int
    var macs: Int
    var memory: Memory
    var precision: Precision
    /// The steps of a training; nil unless asked for.
    var plan: [StepDescription]?

    init(_ network: Network, batchSize: Int, precision: Precision, device: Device, withPlan: Bool) throws {
        self.batchSize = batchSize
        layers = network.layers.map { placed in
            Layer(
                name: placed.name, kind: placed.layer.className,
                output: [batchSize] + placed.output.dimensions, params: placed.parameterCount,
                macs: placed.multiplyAccumulates,
                activationBytes: batchSize * placed.output.count * MemoryLayout<Float>.size)
        }
        blocks = []
        for (index, block) in network.blocks.enumerated() {
            let placed = network.layers.filter { $0.block == index }
            guard let output = placed.last?.output else { continue }
            blocks.append(
                Block(
                    kind: block.className, output: [batchSize] + output.dimensions,
                    params: placed.map(\.parameterCount).reduce(0, +),
                    macs: placed.map(\.multiplyAccumulates).reduce(0, +)))
        }
        params = network.parameterCount
        macs = network.multiplyAccumulates
        // Without a classifier there is nothing to train, and the features of the last layer are what is wanted.
        let hasHead = network.head != nil
        let training =
            hasHead ? try Plan(network, batchSize: batchSize, mode: .training, precision: precision) : nil
        let folded = try network.foldingBatchNorm().network
        let inference = try Plan(
            folded, batchSize: batchSize, mode: .inference, precision: precision,
            keeping: hasHead ? [] : [folded.layers.count - 1])
        try device.check(training ?? inference)
        self.precision = precision
        plan = withPlan ? device.steps(of: training ?? inference) : nil
        memory = Memory(
            training: training.map {
                device.memory(of: $0, optimizer: TrainingConfiguration().optimizer).total
            },
            inference: device.memory(of: inference, optimizer: nil).total)
    }

    /// - Parameter width: the characters of a line; nil for as many as it takes.
    func blockText(width: Int?) -> String {
        let lines = blocks.map { "\(Text.left($0.kind, 20)) output shape: \($0.output)" }
        return (lines + planLines(width) + [""] + totals).joined(separator: "\n")
    }

    func layerText(width: Int?) -> String {
        let header = ["layer", "kind", "output", "parameters", "MACs", "activations"]
        let rows = layers.map { layer in
            [
                layer.name, layer.kind, "\(layer.output)", ReadableNumber.grouped(layer.params),
                ReadableNumber.grouped(layer.macs), ReadableNumber.bytes(layer.activationBytes),
            ]
        }
        let lines = Text.table([header] + rows, leftColumns: 3, width: width)
        return (lines + planLines(width) + [""] + totals).joined(separator: "\n")
    }

    private func planLines(_ width: Int?) -> [String] {
        guard let plan else { return [] }
        let header = ["step", "layers", "forward", "backward", "output", "output", "other", "tasks"]
        let rows = plan.map { step in
            [
                step.name, step.kind, step.forward, step.backward, step.output,
                ReadableNumber.bytes(step.outputBytes), ReadableNumber.bytes(step.otherBytes),
                [step.tasks.forward, step.tasks.inputGradient, step.tasks.weightGradient]
                    .map { $0.map { "\($0)" } ?? "-" }.joined(separator: " "),
            ]
        }
        return [""] + Text.table([header] + rows, leftColumns: 5, width: width)
    }

    private var totals: [String] {
        [
            "parameters:       \(ReadableNumber.grouped(params))",
            "MACs per image:   \(ReadableNumber.grouped(macs))",
        ] + memoryLines
    }

    var memoryLines: [String] {
        let images = batchSize == 1 ? "1 image" : "\(batchSize) images"
        func line(_ name: String, _ bytes: Int) -> String {
            "\(name) \(ReadableNumber.bytes(bytes)) for batches of \(images) in \(precision)"
        }
        return (memory.training.map { [line("training memory: ", $0)] } ?? [])
            + [line("inference memory:", memory.inference)]
    }
}
