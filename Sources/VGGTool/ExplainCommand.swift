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

    @Option(help: "The PNG file to write.", transform: HomeFolder.expandingTilde)
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
        guard trained.precision != .bf16 else {
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
        let loaded = try trained.loadForPhotos(head)
        try AtomicFile.checkReplaceable(output)
        let classes = loaded.network.output.count
        // A single output speaks for the second of two classes.
        let only = classes == 1 ? max(loaded.names.count, 1) - 1 : nil
        if let label, !(only.map { $0...$0 } ?? 0...classes - 1).contains(label) {
            throw ValidationError(
                only.map { "--class must be \($0), which the network's only output speaks for, not \(label)" }
                    ?? "--class must be 0 to \(classes - 1), not \(label)")
        }
        let file = photos.images[0]
        let photo = try RGBImage(named: file)
        let device = compute.resolved(for: loaded.network, batchSize: 1, mode: .training) { _ in .fp32 }
        let explained = try loaded.model.gradCAM(for: loaded.network, layer: layer, device: device)
        let input = loaded.preprocessing.input(from: photo)
        let logits = try explained.logits(input)
        try loaded.model.checkFinite(logits)
        let prediction = Prediction(logits: logits, names: loaded.names, top: .max)
        let guess = prediction.top.first { label ?? only == nil || $0.label == label ?? only }
        guard let guess else { return }
        let map = try explained.map(of: input, class: only == nil ? guess.label : 0)
        try loaded.model.checkFinite(map.values)
        let picture = Heatmap(map).drawn(over: loaded.preprocessing.crop(photo))
        try AtomicFile.replace(output, with: picture.pngData())

        let rows = stride(from: 0, to: map.values.count, by: map.shape[1]).map {
            Array(map.values[$0..<$0 + map.shape[1]])
        }
        switch format.format {
        case .json:
            try Console.print(
                json: Report(
                    file: file, output: output, layer: explained.layer, label: guess.label,
                    class: guess.class, probability: guess.probability, map: rows))
        case .text:
            let isEmpty = map.values.allSatisfy { $0 == 0 }
            Console.error(
                "wrote \(output): \(isEmpty ? "nothing" : "what") speaks for class \(guess.class) "
                    + "(\(Text.fixed(100 * guess.probability, 2)) %) in \(explained.layer)")
        }
    }
}
