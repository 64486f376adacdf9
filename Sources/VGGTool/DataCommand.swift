import ArgumentParser
import VGGKit

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Find or fetch a data set, verify it, and say what is in it.",
        discussion: """
            Examples:
              vgg data
              vgg data fashion-mnist --output samples.png
              vgg data folder:birds
              vgg data --augment --hflip 0.5 --reprob 0.5 --output seen.png
              vgg data --augment --recipe fashion-mnist --output seen.png
            """)

    @Argument(
        help: """
            The data set (default: the recipe's, or \(TrainingConfiguration().data)): \(DataName.help)
            """)
    var name: DataName?

    @Option(help: "A folder that holds the data set's files: NAME:PATH in two.")
    var dataDir: String?

    @Option(
        help: "A PNG file to draw samples of every class in (default: none is drawn).",
        transform: HomeFolder.expandingTilde)
    var output: String?

    @Flag(
        help: """
            Draw instead what a training of this --size with the options below sees: an image of each class as it is, and \
            then as it is in each of the first nine epochs.
            """)
    var augment = false

    @Option(
        name: [.customLong("recipe"), .customLong("preset")],
        help: "What a training by this name does to pictures; options win over it.")
    var recipe: Recipe?

    @OptionGroup(title: "Training pictures") var augmentation: AugmentationOptions
    @OptionGroup(title: "Training pictures") var mixing: MixingOptions
    @OptionGroup(title: "Training pictures") var preparation: PreparationOptions

    @Option(
        parsing: .unconditional,
        help:
            "The width and height of what the network sees, in pixels (default: as in the files, of photos 224)."
    )
    var size: Int?

    @Option(parsing: .unconditional, help: "What the changes are drawn from (default: 0).")
    var seed: UInt64?

    @OptionGroup var format: FormatOption

    /// Its options, and whether each takes a value. Of a recipe these alone are for it: what happens to pictures.
    static var options: [String: Bool] {
        // What is declared can be asked for only by the help text, in which an option's line begins with its names and its
        // value.
        var options: [String: Bool] = [:]
        for line in helpMessage(columns: 80).split(separator: "\n") where line.hasPrefix("  --") {
            let words = line.split { $0 == " " || $0 == "," }
            let names = words.prefix { $0.hasPrefix("--") }
            let takesValue = words.dropFirst(names.count).first?.hasPrefix("<") == true
            for name in names { options[String(name)] = takesValue }
        }
        return options
    }

    private struct Description: Encodable {
        var name: String
        var folder: String
        /// Whether the content has the published checksums.
        var verified: Bool
        var train: Int
        var test: Int
        /// Of a folder of photos that says which they are.
        var validation: Int?
        /// Height and width in pixels; nil where each photo has its own.
        var size: [Int]?
        var classes: [String]
        /// Training images of each class.
        var trainPerClass: [Int]
        /// The PNG file with the samples, if one was asked for.
        var sheet: String?
    }

    func validate() throws {
        guard name?.folder == nil || dataDir == nil else {
            throw ValidationError("NAME:PATH and --data-dir both say where the data are; give one of them")
        }
        guard
            augment
                || augmentation.applied(to: nil) == nil && mixing.applied(to: nil) == nil && recipe == nil
                    && !preparation.isGiven && size == nil && seed == nil
        else { throw ValidationError("what a training sees is drawn with --augment; add it") }
        guard !augment || output != nil else {
            throw ValidationError("--augment draws a picture; name its file by --output")
        }
        if let output { try ValidationError.checkIsPNG(output) }
        // A hundred pictures are drawn.
        try ValidationError.check("--size", size, in: 1...1024)
        try preparation.validate(size: size)
        try ValidationError.wrapping {
            try augmentation.applied(to: nil)?.validate()
            try mixing.applied(to: nil)?.validate()
        }
    }

    private func sheet(of dataset: ImageDataset) throws -> ContactSheet {
        guard augment else { return try ContactSheet(samplesOf: dataset) }
        let own = dataset.images.shape?.dimensions.last ?? 224
        let plain = try Preprocessing.plain(size ?? own, channels: dataset.channels == 1 ? .grey : .rgb)
        return try ContactSheet(
            augmentationsOf: dataset,
            preparation.preprocessing(own: plain, channels: dataset.channels, size: size),
            augmentation.applied(to: nil)?.augmentation ?? Augmentation(), mixing.applied(to: nil),
            seed: seed ?? 0)
    }

    func run() throws {
        let name = name ?? recipe?.data ?? DataName(name: TrainingConfiguration().data)
        let data = try Datasets.load(name.name, from: name.folder ?? dataDir.map(DataName.absolute))
        let train = data.train
        var perClass = [Int](repeating: 0, count: train.classNames.count)
        for label in train.labels { perClass[Int(label)] += 1 }
        if let output {
            let parts = [train, data.test, data.validation].compactMap(\.self)
            try OutputCheck.check(output, reading: parts.flatMap(\.images.files))
            try AtomicFile.replace(output, with: sheet(of: train).png())
        }
        let description = Description(
            name: train.name, folder: data.folder, verified: data.isVerified, train: train.count,
            test: data.test.count, validation: data.validation?.count,
            size: train.images.shape.map { Array($0.dimensions.suffix(2)) },
            classes: train.classNames, trainPerClass: perClass, sheet: output)
        switch format.format {
        case .json: try Console.print(json: description)
        case .text:
            let size = description.size.map { ", \($0[0])×\($0[1])," } ?? ""
            let validation = data.validation.map { ", \(ReadableNumber.grouped($0.count)) validation" } ?? ""
            let state = data.isVerified ? "the published content" : "no published checksum to compare with"
            try Console.print(
                """
                \(train.name): \(ReadableNumber.grouped(train.count)) training\(validation) and \
                \(ReadableNumber.grouped(data.test.count)) test images\(size) in \(train.classNames.count) classes
                folder: \(data.folder) (\(state))
                """)
            if let output { try Console.print("samples: \(output)") }
            let width = train.classNames.map(\.count).max() ?? 0
            for (name, count) in zip(train.classNames, perClass) {
                try Console.print(
                    "  \(Text.left(name, width))  \(Text.right(ReadableNumber.grouped(count), 7))")
            }
        }
    }
}
