/// Which part of a network stays as it is while the rest is trained.
public enum FrozenPart: Hashable, Sendable {
    /// Everything before the classifier.
    case features
    /// The first so many of a VGG's blocks.
    case blocks(Int)
}

extension FrozenPart: RawRepresentable, Codable {
    /// - Parameter rawValue: `features`, or `blocks:` and a number.
    public init?(rawValue: String) {
        if rawValue == "features" {
            self = .features
            return
        }
        let parts = rawValue.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "blocks", let count = Int(parts[1]) else { return nil }
        self = .blocks(count)
    }

    public var rawValue: String {
        switch self {
        case .features: "features"
        case .blocks(let count): "blocks:\(count)"
        }
    }
}

extension Network {
    /// How many of the first layers the part has.
    /// - Throws: `ModelError` if the network has not so many blocks, or no classifier.
    public func layerCount(of part: FrozenPart) throws(ModelError) -> Int {
        guard let features = layers.firstIndex(where: { $0.layer == .flatten }) else {
            throw .invalidSetting(.freeze, reason: "needs a network with a classifier")
        }
        guard case .blocks(let count) = part else { return features }
        let sequential = blocks.prefix { block in
            if case .sequential(let layers) = block { !layers.contains(.flatten) } else { false }
        }
        guard !sequential.isEmpty else {
            throw .invalidSetting(.freeze, reason: "blocks:\(count) is for networks of blocks; use features")
        }
        guard (1...sequential.count).contains(count) else {
            throw .invalidSetting(
                .freeze,
                reason: "blocks:\(count) must be between blocks:1 and blocks:\(sequential.count)")
        }
        // Behind the last block comes at most a pool, which has nothing to train.
        return count == sequential.count
            ? features : sequential.prefix(count).map(\.layers.count).reduce(0, +)
    }
}
