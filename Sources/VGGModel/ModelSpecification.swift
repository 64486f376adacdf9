/// A network family by name, or VGG rows of one's own.
public enum Architecture: Sendable {
    case vgg(ConvArch, batchNorm: Bool)
    case alexNet

    /// The paper's configurations A, B, D and E (Simonyan & Zisserman 2014, table 1).
    static let depths: KeyValuePairs<String, ConvArch> = [
        "vgg11": [(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)],
        "vgg13": [(2, 64), (2, 128), (2, 256), (2, 512), (2, 512)],
        "vgg16": [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)],
        "vgg19": [(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)],
    ]

    /// The names that `init(named:)` knows: torchvision's.
    public static var allNames: [String] { depths.flatMap { [$0.key, $0.key + "_bn"] } + ["alexnet"] }

    /// - Throws: `ModelError.unknownArchitecture` for a name not in `allNames`.
    public init(named name: String) throws(ModelError) {
        if name == "alexnet" {
            self = .alexNet
            return
        }
        for (depth, rows) in Self.depths where name == depth || name == depth + "_bn" {
            self = .vgg(rows, batchNorm: name.hasSuffix("_bn"))
            return
        }
        throw .unknownArchitecture(name)
    }

    /// Reads rows such as `1x64,1x128,2x256`: convolutions × channels, block by block.
    /// - Throws: `ModelError.invalidConvArch` if the text is anything else.
    public static func parseConvArch(_ text: String) throws(ModelError) -> ConvArch {
        var rows: ConvArch = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = part.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            guard numbers.count == 2, let convolutions = numbers[0], let channels = numbers[1] else {
                throw .invalidConvArch(text, reason: "'\(part)' is not CONVOLUTIONSxCHANNELS")
            }
            guard (1...64).contains(convolutions), (1...8192).contains(channels) else {
                throw .invalidConvArch(text, reason: "'\(part)' is out of range")
            }
            rows.append((convolutions, channels))
        }
        return rows
    }
}

/// The choice of a network as a person makes it: what command lines and `config.json` hold.
public struct ModelSpecification: Hashable, Sendable, Codable {
    /// One of `Architecture.allNames`; ignored where `convArch` is given, but for its `_bn`.
    public var arch = "vgg11"
    /// VGG rows such as `1x64,1x128`; nil for those of `arch`.
    public var convArch: String?
    /// Divides the channels of every convolution, as the chapter's `ratio` does.
    public var widthDivisor = 1
    public var inChannels = 1
    public var classes = 10
    /// The probability of the classifier's two dropout layers.
    public var dropout = 0.5
    /// torchvision's average pool to 7×7 before the classifier.
    public var adaptivePool = false
    /// Outputs of each of a VGG's two hidden layers; nil for the paper's 4096.
    public var hiddenFeatures: Int?

    public init() {}

    /// A VGG with these rows: a named architecture, if they are its rows or, divided by a whole number, become
    /// them.
    public init(_ rows: ConvArch, batchNorm: Bool) {
        let suffix = batchNorm ? "_bn" : ""
        for (depth, named) in Architecture.depths where named.count == rows.count {
            guard let channels = rows.first?.channels, channels > 0 else { continue }
            let divisor = named[0].channels / channels
            if zip(named, rows).allSatisfy({
                $0.convolutions == $1.convolutions && $0.channels == $1.channels * divisor
            }) {
                arch = depth + suffix
                widthDivisor = divisor
                return
            }
        }
        arch += suffix
        convArch = rows.map { "\($0.convolutions)x\($0.channels)" }.joined(separator: ",")
    }

    /// The chapter's network: VGG-11 with a quarter of the channels, for one input channel and ten classes.
    public static var slimVGG11: ModelSpecification {
        var specification = ModelSpecification()
        specification.widthDivisor = 4
        return specification
    }

    /// What a person calls it: the name of the architecture, or the rows.
    public var name: String {
        convArch.map { "VGG \($0)\(arch.hasSuffix("_bn") ? " with batch norm" : "")" } ?? arch
    }

    /// The network for square inputs of `size` pixels.
    /// - Throws: `ModelError` that names the option at fault.
    public func network(size: Int) throws(ModelError) -> Network {
        // Limits under which no count of the largest network overflows.
        for (name, value, limit) in [
            ("--size", size, 8192), ("--width-divisor", widthDivisor, 8192),
            ("--in-channels", inChannels, 8192), ("--classes", classes, 1_000_000),
            ("hidden features", hiddenFeatures ?? paperHiddenFeatures, 65_536),
        ] where !(1...limit).contains(value) {
            throw .invalidOption(name: name, reason: "must be between 1 and \(limit), not \(value)")
        }
        guard (0..<1).contains(dropout) else {
            throw .invalidOption(
                name: "--dropout", reason: "must be at least 0 and less than 1, not \(dropout)")
        }
        switch try architecture() {
        case .vgg(let rows, let batchNorm):
            for row in rows where row.channels % widthDivisor != 0 {
                throw .invalidOption(
                    name: "--width-divisor",
                    reason: "\(widthDivisor) does not divide \(row.channels) channels")
            }
            return try vgg(
                rows.map { ($0.convolutions, $0.channels / widthDivisor) }, size: size,
                inChannels: inChannels, classes: classes, dropout: dropout, batchNorm: batchNorm,
                adaptivePool: adaptivePool, hiddenFeatures: hiddenFeatures ?? paperHiddenFeatures)
        case .alexNet:
            guard !adaptivePool else {
                throw .invalidOption(name: "--adaptive-pool", reason: "is for VGG, not for alexnet")
            }
            guard hiddenFeatures == nil else {
                throw .invalidOption(
                    name: "hidden features", reason: "can be chosen for VGG, not for alexnet")
            }
            guard [96, 256, 384].allSatisfy({ $0 % widthDivisor == 0 }) else {
                throw .invalidOption(
                    name: "--width-divisor",
                    reason: "\(widthDivisor) does not divide 96, 256 and 384 channels")
            }
            return try alexNet(
                size: size, inChannels: inChannels, classes: classes, dropout: dropout,
                widthDivisor: widthDivisor)
        }
    }

    private func architecture() throws(ModelError) -> Architecture {
        let named = try Architecture(named: arch)
        guard let convArch else { return named }
        let rows = try Architecture.parseConvArch(convArch)
        if case .vgg(_, let batchNorm) = named { return .vgg(rows, batchNorm: batchNorm) }
        throw .invalidOption(name: "--conv-arch", reason: "is for VGG, not for \(arch)")
    }
}
