import VGGModel

/// What of two pictures is compared.
public enum PerceptualMetric: Sendable {
    /// LPIPS: at five layers of a VGG-16 each pixel's channels are divided by their length, and the squares of the differences
    /// weighted, averaged over the pixels, and added up (Zhang et al. 2018, equation 1).
    case lpips(LPIPSWeights)
    /// The mean squared difference of the features, added up over the layers (Johnson et al. 2016, "Perceptual Losses",
    /// equation 2).
    case features([String])

    /// Whose outputs are compared.
    public var layers: [String] {
        switch self {
        case .lpips: LPIPSWeights.layers
        case .features(let layers): layers
        }
    }

    /// The last ReLU of each block of maps, from the first on: of a VGG-16 those that LPIPS compares.
    public static func lastReLUs(of network: Network) -> [String] {
        let ofMaps = network.layerAliases.filter { name, index in
            if case .map = network.layers[index].output { name.hasPrefix("relu") } else { false }
        }
        let blocks = Dictionary(grouping: ofMaps) { alias in alias.key.prefix { $0 != "_" } }
        return blocks.values.compactMap { $0.max { $0.value < $1.value } }
            .sorted { $0.value < $1.value }.map(\.key)
    }
}

/// A picture as a metric sees it: the distance of two is the sum of their numbers' squared differences.
public struct PictureEmbedding: Sendable {
    let values: [Float]

    /// Numbers.
    public var count: Int { values.count }

    /// 0 for the same picture, and the larger the less alike they look.
    /// - Precondition: both are of one metric, and pictures of one size.
    public func distance(to other: PictureEmbedding) -> Double {
        precondition(values.count == other.values.count, "pictures of different sizes have no distance")
        return values.squaredDistance(to: other.values)
    }
}
