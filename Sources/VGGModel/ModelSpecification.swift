/// A network family by name, or VGG rows of one's own.
public enum Architecture: Sendable {
    /// A VGG of these rows.
    case vgg(ConvArch, batchNorm: Bool)
    /// AlexNet, as the chapter's book has it.
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

    /// The paper's configuration with these rows, and what its channels are divided by; nil if there is none.
    static func depth(of rows: ConvArch) -> (name: String, divisor: Int)? {
        depths.lazy.compactMap { name, depth in
            depth.divisor(giving: rows.channels).map { (name, rows: depth.divided(by: $0), divisor: $0) }
        }.first { $0.rows == rows }.map { ($0.0, $0.divisor) }
    }

    /// The rows of the paper's configuration whose convolutions have these channels, or so many times as many; nil if
    /// there is none.
    package static func rows(ofChannels channels: [Int]) -> ConvArch? {
        depths.lazy.map(\.value).first {
            $0.channels.count == channels.count && $0.divisor(giving: channels) != nil
        }
        .flatMap { $0.divided(by: $0.divisor(giving: channels) ?? 0) }
    }

    /// How many convolutions the paper's configurations have, the most first.
    package static var convolutionCounts: [Int] { depths.map(\.value.channels.count).sorted(by: >) }

    /// The same for channels that are only the first of a configuration's, in at least three blocks.
    package static func firstRows(ofChannels channels: [Int]) -> ConvArch? {
        let found = depths.compactMap { _, depth -> ConvArch? in
            var rest = channels[...]
            let cut = ConvArch(
                depth.blocks.map { block in
                    let part = rest.prefix(block.count)
                    rest = rest.dropFirst(block.count)
                    return Array(part)
                })
            return cut.blocks.count >= 3 && depth.divisor(giving: channels) != nil ? cut : nil
        }
        return Set(found).count == 1 ? found[0] : nil
    }
}

extension ConvArch {
    /// What the channels of the first convolutions have to be divided by to give these; nil if nothing does.
    fileprivate func divisor(giving channels: [Int]) -> Int? {
        let own = self.channels
        guard let first = channels.first, first > 0, channels.count <= own.count else { return nil }
        let divisor = own[0] / first
        return zip(own, channels).allSatisfy { $0 == $1 * divisor } ? divisor : nil
    }
}

/// The choice of a network as a person makes it: what command lines and `config.json` hold.
public struct ModelSpecification: Hashable, Sendable, Codable {
    /// One of `Architecture.allNames`; ignored where `convArch` is given, but for its `_bn`.
    public var arch = "vgg11"
    /// VGG rows such as `1x64,1x128` or `32+64,128` (see `ConvArch`); nil for those of `arch`.
    public var convArch: String?
    /// Divides the channels of every convolution, as the chapter's `ratio` does.
    public var widthDivisor = 1
    /// 1 for grey pictures, 3 for colours.
    public var inChannels = 1
    /// Outputs of the last linear layer; 0 leaves it out.
    public var classes = 10
    /// The probability of the dropout layer after each hidden layer of the classifier.
    public var dropout = 0.5
    /// The probability of a dropout layer at the end of each block; 0 for none.
    public var blockDropout = 0.0
    /// The side of the maps that an average pool before the classifier makes, 7 for torchvision's; nil for no pool.
    public var pool: Int?
    /// Outputs of each linear layer before the last; none for one linear layer alone.
    public var hiddenFeatures = paperHiddenFeatures

    /// VGG-11 as the chapter has it, for one input channel and ten classes.
    public init() {}

    /// A VGG with these rows: a named architecture, if they are its rows or, divided by a whole number, become
    /// them.
    public init(_ rows: ConvArch, batchNorm: Bool) {
        let suffix = batchNorm ? "_bn" : ""
        if let known = Architecture.depth(of: rows) {
            arch = known.name + suffix
            widthDivisor = known.divisor
        } else {
            arch += suffix
            convArch = "\(rows)"
        }
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

    /// Whether a batch norm follows each convolution.
    public var hasBatchNorm: Bool { arch.hasSuffix("_bn") }

    /// The network for square inputs of `size` pixels.
    /// - Throws: `ModelError` that names the setting at fault.
    public func network(size: Int) throws(ModelError) -> Network {
        try checkNumbers(size: size)
        switch try architecture() {
        case .vgg(let rows, let batchNorm):
            return try vgg(
                try divided(rows), size: size, inChannels: inChannels, classes: classes, dropout: dropout,
                batchNorm: batchNorm, pool: pool, hiddenFeatures: hiddenFeatures, blockDropout: blockDropout)
        case .alexNet:
            guard pool == nil else {
                throw .invalidSetting(.pool, reason: "is for VGG, not for alexnet")
            }
            guard blockDropout == 0 else {
                throw .invalidSetting(.blockDropout, reason: "is for VGG, not for alexnet")
            }
            guard hiddenFeatures == paperHiddenFeatures, classes > 0 else {
                throw .invalidSetting(
                    classes > 0 ? .hiddenFeatures : .classes,
                    reason: "\(classes > 0 ? "" : "0 ")is for VGG, not for alexnet")
            }
            guard [96, 256, 384].allSatisfy({ $0 % widthDivisor == 0 }) else {
                throw .invalidSetting(
                    .widthDivisor,
                    reason: "\(widthDivisor) does not divide 96, 256 and 384 channels")
            }
            return try alexNet(
                size: size, inChannels: inChannels, classes: classes, dropout: dropout,
                widthDivisor: widthDivisor)
        }
    }

    /// The rows of the network; nil for AlexNet.
    /// - Throws: `ModelError` that names the setting at fault.
    public var rows: ConvArch? {
        get throws(ModelError) {
            guard case .vgg(let rows, _) = try architecture() else { return nil }
            return try divided(rows)
        }
    }

    private func divided(_ rows: ConvArch) throws(ModelError) -> ConvArch {
        if let divided = rows.divided(by: widthDivisor) { return divided }
        let channels = rows.channels.first { widthDivisor < 1 || $0 % widthDivisor != 0 } ?? 0
        throw .invalidSetting(.widthDivisor, reason: "\(widthDivisor) does not divide \(channels) channels")
    }

    /// Limits under which no count of the largest network overflows.
    private func checkNumbers(size: Int) throws(ModelError) {
        guard hiddenFeatures.count <= 16 else {
            throw .invalidSetting(
                .hiddenFeatures, reason: "must be at most 16 numbers, not \(hiddenFeatures.count)")
        }
        let numbers: [(Setting, Int, ClosedRange<Int>)] = [
            (.size, size, 1...8192), (.widthDivisor, widthDivisor, 1...8192),
            (.inChannels, inChannels, 1...8192), (.classes, classes, 0...1_000_000),
            (.pool, pool ?? 1, 1...256),
        ]
        for (setting, value, range) in numbers + hiddenFeatures.map({ (.hiddenFeatures, $0, 1...65_536) })
        where !range.contains(value) {
            throw .invalidSetting(
                setting, reason: "must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
        }
        for (setting, value) in [(Setting.dropout, dropout), (.blockDropout, blockDropout)]
        where !(0..<1).contains(value) {
            throw .invalidSetting(setting, reason: "must be at least 0 and less than 1, not \(value)")
        }
    }

    private func architecture() throws(ModelError) -> Architecture {
        let named = try Architecture(named: arch)
        guard let convArch else { return named }
        let rows = try ConvArch(parsing: convArch)
        if case .vgg(_, let batchNorm) = named { return .vgg(rows, batchNorm: batchNorm) }
        throw .invalidSetting(.convArch, reason: "is for VGG, not for \(arch)")
    }
}

extension ModelSpecification {
    private enum CodingKeys: String, CodingKey {
        case arch, convArch, widthDivisor, inChannels, classes, dropout, blockDropout, pool, hiddenFeatures
    }

    /// What earlier versions wrote: `adaptivePool`, true for a pool to 7×7, and one number for both hidden layers.
    private enum OldKeys: String, CodingKey { case adaptivePool }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let old = try decoder.container(keyedBy: OldKeys.self)
        arch = try values.decode(String.self, forKey: .arch)
        convArch = try values.decodeIfPresent(String.self, forKey: .convArch)
        widthDivisor = try values.decode(Int.self, forKey: .widthDivisor)
        inChannels = try values.decode(Int.self, forKey: .inChannels)
        classes = try values.decode(Int.self, forKey: .classes)
        dropout = try values.decode(Double.self, forKey: .dropout)
        blockDropout = try values.decodeIfPresent(Double.self, forKey: .blockDropout) ?? 0
        pool = try values.decodeIfPresent(Int.self, forKey: .pool)
        if try old.decodeIfPresent(Bool.self, forKey: .adaptivePool) == true { pool = 7 }
        if let one = try? values.decodeIfPresent(Int.self, forKey: .hiddenFeatures) {
            hiddenFeatures = [one, one]
        } else {
            hiddenFeatures =
                try values.decodeIfPresent([Int].self, forKey: .hiddenFeatures) ?? paperHiddenFeatures
        }
    }
}
