import VGGEngine
import VGGModel

/// A network that says what its inner layers see: the features that style transfer, perceptual losses and
/// similarity search are made of.
public final class FeatureExtractor {
    /// The names that were given, and that features are returned under.
    public let layers: [String]
    /// What runs the network, and takes its weights.
    public let executor: Executor
    private let indices: [Int]

    /// - Parameter layers: names that `Network.layerIndex(named:)` knows.
    /// - Throws: `ModelError.unknownLayer`, or what the plan throws.
    public init(
        _ network: Network, layers: [String], batchSize: Int = 1, precision: Precision = .fp32,
        device: Device
    ) throws {
        self.layers = layers
        indices = try layers.map { try network.layerIndex(named: $0) }
        let plan = try Plan(
            network, batchSize: batchSize, mode: .inference, precision: precision, keeping: Set(indices))
        try plan.checkFits(on: device)
        executor = try Executor(plan: plan, device: device)
    }

    /// - Parameter images: at most the batch size.
    /// - Returns: for each layer [count, channels, height, width], or [count, features] of a vector.
    /// - Throws: `InputError` if the images are of another shape than the network's; `DeviceError`.
    public func features(of images: ImageBatch) throws -> [String: Tensor] {
        try images.check(fits: executor.plan.network.input)
        let features = executor.features(images)
        try executor.checkDevice()
        return Dictionary(
            zip(layers, indices).compactMap { name, index in features[index].map { (name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// How differently two images look to the network: the mean squared difference of their features, summed
    /// over the layers (Johnson et al. 2016, "Perceptual losses", the feature reconstruction loss).
    /// - Throws: `InputError` if an image is of another shape than the network's; `DeviceError`.
    public func perceptualDistance(_ first: ImageBatch, _ second: ImageBatch) throws -> Double {
        let (a, b) = (try features(of: first), try features(of: second))
        return layers.reduce(0) { sum, layer in
            guard let x = a[layer].map({ Array($0.values) }), let y = b[layer].map({ Array($0.values) }),
                !x.isEmpty
            else { return sum }
            let squares = zip(x, y).reduce(0.0) { sum, pair in
                sum + (Double(pair.0) - Double(pair.1)) * (Double(pair.0) - Double(pair.1))
            }
            return sum + squares / Double(x.count)
        }
    }
}

extension Network {
    /// An extractor of this network's features at the named layers, for one image at a time in single precision;
    /// its executor takes the weights.
    /// - Throws: `ModelError.unknownLayer`, or what the plan throws.
    public func features(at layers: String..., device: Device) throws -> FeatureExtractor {
        try FeatureExtractor(self, layers: layers, device: device)
    }
}
