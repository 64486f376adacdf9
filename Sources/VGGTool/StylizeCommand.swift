import ArgumentParser
import Foundation
import VGGKit

extension Convolution.Borders: ExpressibleByArgument {}

struct StylizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stylize",
        abstract: "Paint a picture in the manner of others.",
        discussion: """
            Gatys' algorithm: the picture is changed until the network sees the content in it, and in its textures the \
            styles. Ctrl-C ends it with the picture as it is.
            Examples:
              vgg stylize me.jpg sea.jpg --weights vgg19.pth --output a.png
              vgg stylize me.jpg sea.jpg --weights w.pth --size 256,1024 --output b.png
              vgg stylize me.jpg a.jpg b.jpg --weights w.pth --blend 2,1 --output c.png
              vgg stylize me.jpg sea.jpg --weights vgg19.pth --opt lbfgs --output d.png
            """)

    enum Opt: String, ExpressibleByArgument, CaseIterable { case adam, lbfgs }
    enum Pool: String, ExpressibleByArgument, CaseIterable { case max, avg }
    enum Start: String, ExpressibleByArgument, CaseIterable { case content, noise }

    @Argument(help: "The picture that is painted: a JPEG, PNG or WebP file.") var content: String
    @Argument(help: "The pictures in whose manner.") var styles: [String]

    @Option(help: "The PNG file to write.", transform: HomeFolder.expandingTilde)
    var output: String

    @Option(
        help: ArgumentHelp(
            "How much each style counts, one number a style (default: all as much).", valueName: "n,…"))
    var blend: NumberList<Double>?

    @Option(
        help: ArgumentHelp(
            "The longer side of the picture, in pixels; of several sizes each goes on with what the one before made.",
            valueName: "n,…"))
    var size: NumberList<Int> = NumberList([512])

    @Option(help: ArgumentHelp("Steps, or steps of each size.", valueName: "n,…"))
    var steps: NumberList<Int> = NumberList([300])

    @Option(help: "The longer side of the styles, as a share of the picture's.") var styleScale = 1.0

    @Option(
        help: ArgumentHelp(
            "Where the content is looked for, layer or layer:weight (default: relu4_2).", valueName: "layer,…"
        ))
    var contentLayer: LayerWeights?

    @Option(
        help: ArgumentHelp(
            "Where the styles are, likewise (default: the first ReLU of each block).", valueName: "layer,…"))
    var styleLayer: LayerWeights?

    @Option(parsing: .unconditional, help: "How much the content counts.") var contentWeight = 1.0
    @Option(
        parsing: .unconditional,
        help: "How much the styles count (default: 1e6, and 1e3 for weights that see colours of 0…255).")
    var styleWeight: Double?
    @Option(parsing: .unconditional, help: "How much smoothness counts, the total variation.")
    var variationWeight = 0.0

    @Option(help: "What is changed: the content, or noise.") var start = Start.content
    @Option(parsing: .unconditional, help: "Chooses the noise.") var seed: UInt64 = 0
    @Option(help: "What finds the picture.") var opt = Opt.adam
    @Option(
        name: .customLong("lr"), parsing: .unconditional,
        help: "How far a step goes (default: 0.02 for adam, in brightness of 0…1, and 1 for lbfgs).")
    var learningRate: Double?
    @Option(parsing: .unconditional, help: "So many steps are what lbfgs goes by.") var history = 20
    @Option(help: "How the network's pools make one number of four.") var pool = Pool.max
    @Option(help: "What lies around the maps of the network: zeros, or their own pixels, mirrored.")
    var borders = Convolution.Borders.zero
    @Flag(help: "Keep the content's colours, and take the brightness alone.") var preserveColours = false
    @Option(
        parsing: .unconditional,
        help: "Also write the picture after every so many steps, beside the output: out-50.png.")
    var every: Int?

    @OptionGroup var precision: PictureArithmetic
    @OptionGroup var network: PictureNetworkOptions
    @OptionGroup var format: FormatOption

    /// Layers that count differently.
    struct LayerWeights: ExpressibleByArgument {
        var layers: [StylizationSettings.LayerWeight] = []

        init?(argument: String) {
            for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
                let words = part.split(separator: ":", maxSplits: 1).map(String.init)
                let weight = words.count > 1 ? Double(words[1]) : 1
                guard let name = words.first, let weight, weight > 0, weight.isFinite else { return nil }
                layers.append(.init(name, weight: weight))
            }
        }
    }

    func validate() throws {
        guard !styles.isEmpty else { throw ValidationError("name a picture in whose manner to paint") }
        try ValidationError.checkIsPNG(output)
        for size in self.size.numbers {
            try ValidationError.check("--size", size, in: 1...Preprocessing.maximumSize)
        }
        for count in self.steps.numbers { try ValidationError.check("--steps", count, in: 1...1_000_000) }
        try ValidationError.check("--every", every, in: 1...1_000_000)
        try ValidationError.check("--history", history, in: 1...1000)
        guard [1, size.numbers.count].contains(steps.numbers.count) else {
            throw ValidationError(
                "--steps must be one number, or one for each of \(size.numbers.count) sizes")
        }
        if let blend {
            guard blend.numbers.count == styles.count, blend.numbers.allSatisfy({ $0 > 0 && $0.isFinite })
            else {
                throw ValidationError(
                    "--blend must be \(Text.count(styles.count, "number")) above 0, one a style")
            }
        }
        let weights = [contentWeight, styleWeight ?? 1, variationWeight]
        guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), contentWeight + (styleWeight ?? 1) > 0 else {
            throw ValidationError(
                "weights must not be negative, and the content's or the styles' must be above 0")
        }
        guard (0.01...100).contains(styleScale) else {
            throw ValidationError("--style-scale must be between 0.01 and 100, not \(styleScale)")
        }
        guard (learningRate ?? 1) > 0, (learningRate ?? 1).isFinite else {
            throw ValidationError("--lr must be above 0")
        }
    }

    private func settings(_ preprocessing: Preprocessing, _ device: Device) -> StylizationSettings {
        var settings = StylizationSettings()
        settings.contentLayers = contentLayer?.layers ?? []
        settings.styleLayers = styleLayer?.layers ?? []
        settings.contentWeight = contentWeight
        settings.styleWeight = styleWeight ?? (preprocessing.range == .byte ? 1e3 : 1e6)
        settings.variationWeight = variationWeight
        settings.scales = size.numbers.enumerated().map { index, size in
            .init(size: size, steps: steps.numbers[steps.numbers.count == 1 ? 0 : index])
        }
        settings.styleScale = styleScale
        settings.start = start == .content ? .content : .noise(seed: seed)
        settings.optimizer =
            switch opt {
            case .adam: .adam(Adam(learningRate: Float(learningRate ?? 0.02)))
            case .lbfgs: .lbfgs(LBFGS(learningRate: Float(learningRate ?? 1), history: history))
            }
        settings.isAveraging = pool == .avg
        settings.borders = borders
        settings.keepsColours = preserveColours
        settings.precision = precision.chosen(on: device)
        return settings
    }

    func run() throws {
        let maps = try network.load()
        let inputs = [maps.path, content] + styles
        try OutputCheck.check(output, reading: inputs)
        if every != nil {
            for step in inputs.compactMap(StylizationDisplay.step) {
                try OutputCheck.check(StylizationDisplay.file(output, at: step), reading: inputs)
            }
        }
        let picture = try RGBImage(named: content)
        let manners = try styles.enumerated().map { index, file -> Stylization.Style in
            (try RGBImage(named: file), blend?.numbers[index] ?? 1)
        }
        let stylization = Stylization(
            maps.network, weights: maps.weights, preprocessing: maps.preprocessing,
            settings: settings(maps.preprocessing, maps.device), device: maps.device)
        let bytes = try maps.fitting { try stylization.memory(of: picture) }
        let sizes = size.numbers.map { size in
            let (height, width) = picture.sides(withLonger: size)
            return "\(width)×\(height)"
        }
        Console.error(
            "\(sizes.joined(separator: ", ")) pixels on \(maps.device): \(ReadableNumber.bytes(bytes)) of memory"
        )
        var display = StylizationDisplay(format: format.format, output: output, every: every)
        Signals.beginTraining()
        let made = try maps.fitting {
            try stylization.picture(of: picture, inTheMannerOf: manners) { state in
                try display.show(state)
                return !Signals.isStopRequested
            }
        }
        display.end()
        try AtomicFile.replace(output, with: made.bitmap.pngData())
        Console.error(
            "wrote \(output): \(made.width)×\(made.height) pixels after \(Text.count(display.done, "step"))")
        if Signals.isStopRequested { throw ExitCode(Signals.exitCode) }
    }
}

/// Shows how a picture comes to be.
struct StylizationDisplay {
    /// Of a step, for programs.
    private struct Record: Encodable {
        var scale, step: Int
        var loss, content, style, totalVariation: Double
        var output: String?
    }

    let format: OutputFormat
    let output: String
    let every: Int?
    /// Of all sizes.
    private(set) var done = 0
    private var bar = Console.isTerminal ? ProgressBar() : nil

    init(format: OutputFormat, output: String, every: Int?) {
        (self.format, self.output, self.every) = (format, output, every)
    }

    /// What is written after so many steps.
    static func file(_ output: String, at step: Int) -> String { "\(output.dropLast(4))-\(step).png" }

    /// The step after which a file of this name may be written; nil for a name of another kind.
    static func step(_ file: String) -> Int? {
        file.split(separator: "-").last.flatMap { $0.hasSuffix(".png") ? Int($0.dropLast(4)) : nil }
    }

    mutating func show(_ state: Stylization.State) throws {
        done += 1
        var file: String?
        if let every, done % every == 0 {
            let name = Self.file(output, at: done)
            try AtomicFile.replace(name, with: state.picture().bitmap.pngData())
            file = name
        }
        let losses = state.losses
        if format == .json {
            try Console.print(
                json: Record(
                    scale: state.scale, step: state.step, loss: losses.total, content: losses.content,
                    style: losses.style, totalVariation: losses.totalVariation, output: file))
        }
        let text = "loss \(Text.fixed(losses.total, 3))"
        if bar == nil, format == .text, done % 50 == 0 || state.step == state.steps {
            Console.error("step \(state.step) of \(state.steps): \(text)")
        }
        guard bar?.isDue() == true else { return }
        let scale = state.scales > 1 ? "size \(state.scale + 1)/\(state.scales)" : "painting"
        bar?.draw(
            scale, Double(state.step) / Double(state.steps), ["\(state.step)/\(state.steps)", text])
    }

    mutating func end() { bar?.clear() }
}

extension RGBImage {
    /// The same pixels, to be written or drawn on.
    var bitmap: Bitmap {
        var bitmap = Bitmap(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let start = (y * width + x) * 3
                bitmap[x, y] = Colour(red: pixels[start], green: pixels[start + 1], blue: pixels[start + 2])
            }
        }
        return bitmap
    }
}
