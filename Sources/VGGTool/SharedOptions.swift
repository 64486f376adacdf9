import ArgumentParser
import Foundation
import VGGKit

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

struct FormatOption: ParsableArguments {
    @Option(help: "Text for people, or only JSON on standard output.")
    var format = OutputFormat.text
}

/// Which network: MODEL in the command line's descriptions.
struct ModelOptions: ParsableArguments {
    @Option(help: "The architecture: \(Architecture.allNames.joined(separator: ", ")).")
    var arch: String?

    @Option(
        help: """
            VGG rows of your own, CONVOLUTIONSxCHANNELS block by block, such as 1x64,1x128,2x256; 64+128 are two \
            convolutions of different channels in one block. With --arch vgg11_bn each convolution is followed by \
            batch norm.
            """)
    var convArch: String?

    @Option(
        parsing: .unconditional,
        help: """
            Divide the channels of every convolution (default: what the recipe, run or file says, else 4 for \
            train and bench without --arch and --conv-arch, else 1).
            """)
    var widthDivisor: Int?

    @Option(parsing: .unconditional, help: "Channels of the images.")
    var inChannels: Int?

    @Option(parsing: .unconditional, help: "Classes to tell apart.")
    var classes: Int?

    @Option(parsing: .unconditional, help: "The probability of the classifier's dropout layers.")
    var dropout: Double?

    @Option(
        parsing: .unconditional,
        help:
            "The probability of a dropout layer at the end of each block (default: what the run or file says, else 0)."
    )
    var blockDropout: Double?

    /// The rows that were asked for, by name or as such; nil for none, and for AlexNet.
    var rows: ConvArch? {
        get throws {
            arch == nil && convArch == nil ? nil : try applied(to: ModelSpecification()).rows
        }
    }

    /// What to train or measure where nothing else is said: the chapter's slim network, but a network that is
    /// asked for by name is the one of that name.
    var base: ModelSpecification { arch == nil && convArch == nil ? .slimVGG11 : ModelSpecification() }

    /// `base` with what was given.
    func applied(to base: ModelSpecification) -> ModelSpecification {
        var model = base
        if let arch { model.arch = arch }
        if let convArch { model.convArch = convArch }
        if let widthDivisor { model.widthDivisor = widthDivisor }
        if let inChannels { model.inChannels = inChannels }
        if let classes { model.classes = classes }
        if let dropout { model.dropout = dropout }
        if let blockDropout { model.blockDropout = blockDropout }
        return model
    }
}

/// What the classifier of a VGG is like.
struct HeadOptions: ParsableArguments {
    /// The value of --hidden-features.
    struct HiddenFeatures: ExpressibleByArgument {
        var features: [Int] = []

        init?(argument: String) {
            guard argument != "none" else { return }
            guard let list = NumberList<Int>(argument: argument) else { return nil }
            features = list.numbers
        }
    }

    /// The value of --pool.
    struct Pool: ExpressibleByArgument {
        /// nil for none.
        var size: Int?

        init?(argument: String) {
            guard argument != "none" else { return }
            guard let size = Int(argument) else { return nil }
            self.size = size
        }
    }

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The outputs of each linear layer before the last, separated by commas; none for one linear layer alone "
                + "(default: what the run or file says, else 4096,4096).", valueName: "n,n,…|none"))
    var hiddenFeatures: HiddenFeatures?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Average the last maps to N×N before the classifier, as torchvision does to 7×7, so that the same "
                + "weights fit every size (default: what the run or file says, else none).",
            valueName: "n|none"))
    var pool: Pool?

    @Flag(help: "The same as --pool 7.")
    var adaptivePool = false

    func validate() throws {
        guard pool == nil || !adaptivePool else {
            throw ValidationError("--adaptive-pool is --pool 7; give one of them")
        }
    }

    /// `base` with what was given.
    func applied(to base: ModelSpecification) -> ModelSpecification {
        var model = base
        if let hiddenFeatures { model.hiddenFeatures = hiddenFeatures.features }
        if let pool { model.pool = pool.size }
        if adaptivePool { model.pool = 7 }
        return model
    }
}

/// Which data set, and where it is looked for first.
struct DataOptions: ParsableArguments {
    @Option(help: "The data set: \(DataName.help)")
    var data: DataName?

    @Option(help: "A folder that holds the data set's files: --data NAME:PATH in two options.")
    var dataDir: String?

    @Option(parsing: .unconditional, help: "Resize the images to this width and height, in pixels.")
    var size: Int?

    /// The absolute path of the folder that was given.
    var folder: String? { data?.folder ?? dataDir.map(DataName.absolute) }

    func validate() throws {
        guard data?.folder == nil || dataDir == nil else {
            throw ValidationError(
                "--data NAME:PATH and --data-dir both say where the data are; give one of them")
        }
    }
}

extension ValidationError {
    /// - Throws: a validation error that names the option, if the value is given and not in `range`.
    static func check(_ name: String, _ value: Int?, in range: ClosedRange<Int>) throws {
        if let value, let reason = range.objection(to: value) { throw ValidationError("\(name) \(reason)") }
    }

    /// - Throws: a validation error if a file to draw a picture in has the name of another format. What is no file, such as
    ///   standard output, may have any name.
    static func checkIsPNG(_ file: String) throws {
        let isFile = !file.hasPrefix("/dev/") && FileKind(at: file) != .other
        guard !isFile || file.lowercased().hasSuffix(".png") else {
            throw ValidationError("\(file) must end in .png: a PNG file is written")
        }
    }

    /// Makes any error of `body` one of the command line, which has an exit code of its own.
    static func wrapping<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
