import ArgumentParser
import VGGKit

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Draw what in a photo speaks for a class (Grad-CAM).",
        discussion: """
            The picture is the square of the photo that the network sees; the brighter, the more that place speaks \
            for the class.
            Examples:
              vgg explain vgg16.pth cat.jpg --output cam.png
              vgg explain vgg16.pth cat.jpg --class 281 --layer relu4_3 --output cam.png
            """)

    @OptionGroup var trained: TrainedModelOptions
    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var head: HeadOptions

    @OptionGroup(title: "Photos") var photos: PhotoOptions
    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(
        name: .customLong("class"), parsing: .unconditional,
        help: "The class's number, counted from 0 (default: the likeliest).")
    var label: Int?

    @Option(help: "The layer whose maps are explained (default: the last ReLU before the classifier).")
    var layer: String?

    @Option(help: "The PNG file to write.")
    var output: String

    @OptionGroup var format: FormatOption

    func validate() throws {
        guard photos.images.count == 1 else {
            throw ValidationError("one photo is explained at a time, not \(photos.images.count)")
        }
        guard output.lowercased().hasSuffix(".png") else {
            throw ValidationError("\(output) must end in .png: a PNG file is written")
        }
        guard photos.batchSize == nil else {
            throw ValidationError("--batch-size has no meaning here: one photo is explained at a time")
        }
        guard trained.precision?.resolved ?? .fp32 == .fp32 else {
            throw ValidationError("photos are explained in single precision; leave out --precision")
        }
    }

    /// What was explained, for programs.
    private struct Report: Encodable {
        var file: String
        var output: String
        var layer: String
        var label: Int
        var `class`: String
        var probability: Double
        /// [height][width], not scaled.
        var map: [[Float]]
    }

    func run() throws {
        let (model, network, preprocessing) = try trained.prepared(for: photos, head)
        try AtomicFile.checkReplaceable(output)
        let classes = network.output.count
        if let label, !(0..<classes).contains(label) {
            throw ValidationError("--class must be 0 to \(classes - 1), not \(label)")
        }
        let names = try photos.classNames(for: model, classes: classes)
        let file = photos.images[0]
        let photo = try PhotoLoader.read(file)
        let explained = try model.gradCAM(for: network, layer: layer, device: compute.resolved)
        let input = preprocessing.input(from: photo)
        let logits = explained.logits(input)
        try model.checkFinite(logits)
        let prediction = Prediction(logits: logits, names: names, top: classes)
        let guess = prediction.top.first { label == nil || $0.label == label }
        guard let guess else { return }
        let map = explained.map(of: input, class: guess.label)
        try model.checkFinite(map.values)
        let picture = Heatmap(map).drawn(over: preprocessing.crop(photo))
        try AtomicFile.replace(output, with: picture.pngData())

        let rows = stride(from: 0, to: map.values.count, by: map.shape[1]).map {
            Array(map.values[$0..<$0 + map.shape[1]])
        }
        switch format.format {
        case .json:
            Console.print(
                try JSONText.line(
                    Report(
                        file: file, output: output, layer: explained.layer, label: guess.label,
                        class: guess.class, probability: guess.probability, map: rows)))
        case .text:
            let isEmpty = map.values.allSatisfy { $0 == 0 }
            Console.error(
                "wrote \(output): \(isEmpty ? "nothing" : "what") speaks for class \(guess.class) "
                    + "(\(Text.fixed(100 * guess.probability, 2)) %) in \(explained.layer)")
        }
    }
}
