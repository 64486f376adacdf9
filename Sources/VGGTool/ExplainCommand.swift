import ArgumentParser
import VGGKit

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Draw what in a photo speaks for a class.",
        discussion: """
            The picture is the square of the photo that the network sees; the brighter, the more that place speaks \
            for the class. Several methods stand side by side, and class-model shows what the network finds most like \
            the class, whatever is in the photo.
            Examples:
              vgg explain vgg16.pth cat.jpg --output cam.png
              vgg explain vgg16.pth cat.jpg --method grad-cam,occlusion --output w.png
              vgg explain vgg16.pth cat.jpg --class 281 --layer relu4_3 --output cam.png
            """)

    @OptionGroup var trained: TrainedModelOptions
    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var head: HeadOptions

    @Argument(help: "The photo: a JPEG, PNG or WebP file, or - for standard input.")
    var photo: String
    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(
        name: .customLong("class"), parsing: .unconditional,
        help: "The class's number, counted from 0 (default: the likeliest).")
    var label: Int?

    @Option(
        help: ArgumentHelp(
            "One way to explain, or several: \(ExplanationMethod.names) (default: grad-cam).",
            valueName: "method,…"), completion: .list(ExplanationMethod.all.map(\.name)),
        transform: ExplanationMethod.List.init(option:))
    var method = ExplanationMethod.List([.gradCAM])

    @Option(
        help: "The layer whose maps grad-cam explains (default: the last ReLU before the classifier).")
    var layer: String?

    @Option(help: "The PNG file to write.", transform: HomeFolder.expandingTilde)
    var output: String

    @OptionGroup var format: FormatOption

    func validate() throws {
        try ValidationError.checkIsPNG(output)
        guard layer == nil || method.methods.contains(.gradCAM) else {
            throw ValidationError("--layer is for grad-cam, which is not among the methods")
        }
        guard trained.precision != .bf16 else {
            throw ValidationError("photos are explained in single precision; leave out --precision")
        }
    }

    /// What was explained, for programs.
    private struct Report: Encodable {
        var file: String
        var output: String
        var method: String
        var layer: String?
        var label: Int
        var `class`: String
        var probability: Double
        /// [height][width], not scaled.
        var map: [[Float]]
    }

    func run() throws {
        let loaded = try trained.loadForPhotos(head)
        try OutputCheck.check(output, reading: [loaded.model.path, photo])
        let classes = loaded.network.output.count
        // A single output speaks for the second of two classes.
        let only = classes == 1 ? max(loaded.names.count, 1) - 1 : nil
        if let label, !(only.map { $0...$0 } ?? 0...classes - 1).contains(label) {
            throw ValidationError(
                only.map { "--class must be \($0), which the network's only output speaks for, not \(label)" }
                    ?? "--class must be 0 to \(classes - 1), not \(label)")
        }
        let picture = try RGBImage(named: photo, alpha: Preparation(loaded.preprocessing).alpha)
        let seen = loaded.preprocessing.crop(picture)
        // Only Grad-CAM is of one image at a time. The methods share one copy of the weights.
        let batchSize = method.methods == [.gradCAM] ? 1 : 4
        let device = compute.resolved(for: loaded.network, batchSize: batchSize, mode: .training) { _ in .fp32
        }
        let input = loaded.preprocessing.input(from: picture)
        let gradCAM =
            method.methods.contains(.gradCAM)
            ? try loaded.model.gradCAM(
                for: loaded.network, layer: layer, batchSize: batchSize, device: device) : nil
        let gradients =
            try gradCAM?.gradients
            ?? loaded.model.logitGradients(
                for: loaded.network, batchSize: batchSize, device: device)
        let logits = try gradients.logits(input)
        try loaded.model.checkFinite(logits)
        let prediction = Prediction(logits: logits, names: loaded.names, top: .max)
        let guess = prediction.top.first { label ?? only == nil || $0.label == label ?? only }
        guard let guess else { return }
        let logit = only == nil ? guess.label : 0
        let explanations = try method.methods.compactMap { method -> Explanation? in
            func finite(_ numbers: Tensor) throws -> Tensor {
                try loaded.model.checkFinite(numbers.values)
                return numbers
            }
            switch method {
            case .gradCAM:
                guard let gradCAM else { return nil }
                let map = try finite(gradCAM.map(of: input, class: logit))
                return Explanation(method, layer: gradCAM.layer, map, over: seen)
            case .attribution(let attribution):
                let numbers = try finite(gradients.attribution(attribution, of: input, class: logit))
                return Explanation(method, try finite(attribution.map(of: numbers)), over: seen)
            case .classModel:
                return Explanation(try finite(gradients.classModel(of: logit)), loaded.preprocessing)
            }
        }
        let drawn =
            explanations.count == 1
            ? explanations[0].picture : Explanation.sheet(of: explanations, beside: seen)
        try AtomicFile.replace(output, with: drawn.pngData())
        try report(explanations, guess)
    }

    private func report(_ explanations: [Explanation], _ guess: Prediction.Guess) throws {
        switch format.format {
        case .json:
            for explanation in explanations {
                let map = explanation.map
                let rows = stride(from: 0, to: map.values.count, by: map.shape[1]).map {
                    Array(map.values[$0..<$0 + map.shape[1]])
                }
                try Console.print(
                    json: Report(
                        file: photo, output: output, method: explanation.method.name,
                        layer: explanation.layer, label: guess.label, class: guess.class,
                        probability: guess.probability, map: rows))
            }
        case .text:
            let isEmpty = explanations.allSatisfy { $0.map.values.allSatisfy { $0 == 0 } }
            let places = explanations.compactMap(\.layer).map { " in \($0)" }.joined()
            Console.error(
                "wrote \(output): \(isEmpty ? "nothing" : "what") speaks for class \(guess.class) "
                    + "(\(Text.fixed(100 * guess.probability, 2)) %)\(places)")
        }
    }
}
