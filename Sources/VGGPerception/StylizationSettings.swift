import VGGEngine
import VGGModel

/// How one picture is painted in the manner of others.
public struct StylizationSettings: Sendable {
    /// A layer, and how much it counts.
    public struct LayerWeight: Hashable, Sendable {
        /// A name that `Network.layerIndex(named:)` knows.
        public var layer: String
        /// What its loss is multiplied by.
        public var weight: Double

        /// A layer by its name.
        public init(_ layer: String, weight: Double = 1) { (self.layer, self.weight) = (layer, weight) }
    }

    /// What is changed first.
    public enum Start: Sendable {
        /// The picture whose content is wanted.
        case content
        /// Random colours.
        case noise(seed: UInt64)
    }

    /// One after another: the longer side in pixels, and how many steps. Each goes on with what the one before has made.
    public struct Scale: Hashable, Sendable {
        /// The longer side, in pixels.
        public var size: Int
        /// Changes of the picture.
        public var steps: Int

        /// The longer side in pixels, and how many steps.
        public init(size: Int, steps: Int) { (self.size, self.steps) = (size, steps) }
    }

    /// Empty for `relu4_2`, or where there is none the deepest ReLU that is the first of its block.
    public var contentLayers: [LayerWeight] = []
    /// Empty for the first ReLU of each block.
    public var styleLayers: [LayerWeight] = []
    /// What the loss of the content is multiplied by.
    public var contentWeight = 1.0
    /// Of the sum over the layers, each divided by the square of its channels.
    public var styleWeight = 1e6
    /// What the loss of the picture's roughness is multiplied by.
    public var variationWeight = 0.0
    /// Sizes and steps, one after another.
    public var scales = [Scale(size: 512, steps: 300)]
    /// The longer sides of the styles, as a share of the picture's.
    public var styleScale = 1.0
    /// What is changed first.
    public var start = Start.content
    /// What makes a step of a gradient.
    public var optimizer = PictureOptimizer.adam(Adam())
    /// Average pools in place of max pools.
    public var isAveraging = false
    /// What lies around the maps. With zeros, as networks are trained, a picture's edge is seen as one.
    public var borders = Convolution.Borders.zero
    /// Of the network's arithmetic.
    public var precision = Precision.fp32
    /// Takes the brightness of what was made, and the colours of the content (Gatys et al. 2016, "Preserving Color in Neural
    /// Artistic Style Transfer", section 3.2).
    public var keepsColours = false

    /// The algorithm's own, at 512 pixels with 300 steps of Adam.
    public init() {}

    /// Those of the network where none were asked for.
    func contentLayers(of network: Network) -> [LayerWeight] {
        guard contentLayers.isEmpty else { return contentLayers }
        let name = network.layerAliases["relu4_2"] == nil ? Self.firstReLUs(of: network).last : "relu4_2"
        return [LayerWeight(name ?? "relu1_1")]
    }

    func styleLayers(of network: Network) -> [LayerWeight] {
        styleLayers.isEmpty ? Self.firstReLUs(of: network).map { LayerWeight($0) } : styleLayers
    }

    private static func firstReLUs(of network: Network) -> [String] {
        let ofMaps = network.layerAliases.filter { name, index in
            guard case .map = network.layers[index].output else { return false }
            return name.hasPrefix("relu") && name.hasSuffix("_1")
        }
        return ofMaps.sorted { $0.value < $1.value }.map(\.key)
    }
}
