import VGGEngine
import VGGModel

/// How alike pictures look, by what a network makes of them.
///
///     let metric = PerceptualMetric.lpips(try LPIPSWeights(contentsOf: "vgg.pth"))
///     let distance = try PerceptualDistance(
///         metric, vgg16, weights: weights, height: 256, width: 256, device: .best)
///     let pictures = try distance.embeddings(of: images)
///     print(pictures[0].distance(to: pictures[1]))
///
/// Its pictures are normalised as the network's weights expect. (LPIPS's own scaling layer is torchvision's normalisation
/// for ImageNet: of -1…1 in place of 0…1.) For one thread of the caller at a time.
public final class PerceptualDistance {
    /// Pictures that are run together at most.
    public let batchSize: Int
    /// Of one picture.
    public let input: Shape
    /// Numbers of an embedding.
    public let count: Int
    private let executor: Executor
    /// What each channel of a layer is multiplied by; of layers in their order.
    private let factors: [Int: [Float]]
    private let isNormalized: Bool

    /// - Parameters:
    ///   - whole: of any size, with or without a classifier.
    ///   - weights: under torchvision's names; others beside them are passed over.
    ///   - batchSize: so many pictures are run at once.
    /// - Throws: what `PictureNetwork` throws; `PerceptionError.linearCount`; `PlanError`.
    public init(
        _ metric: PerceptualMetric, _ whole: Network, weights: [String: Tensor], height: Int, width: Int,
        batchSize: Int = 16, device: Device
    ) throws {
        let pictures = try PictureNetwork(
            whole, weights: weights, layers: metric.layers, height: height, width: width)
        var factors: [Int: [Float]] = [:]
        for (place, name) in metric.layers.enumerated() {
            guard let layer = pictures.places[name] else { continue }
            let shape = pictures.network.layers[layer].output
            let (channels, pixels) = (shape.dimensions[0], shape.count / shape.dimensions[0])
            switch metric {
            case .lpips(let weights):
                let own = weights.factors[place]
                guard own.count == channels else {
                    throw PerceptionError.linearCount(layer: name, channels: channels, found: own.count)
                }
                factors[layer] = own.map { ($0 / Float(pixels)).squareRoot() }
            case .features:
                let factor = (1 / Float(channels * pixels)).squareRoot()
                factors[layer] = Array(repeating: factor, count: channels)
            }
        }
        self.factors = factors
        if case .lpips = metric { isNormalized = true } else { isNormalized = false }
        count = factors.keys.reduce(0) { $0 + pictures.network.layers[$1].output.count }
        input = pictures.network.input
        self.batchSize = batchSize
        executor = try pictures.executor(
            mode: .inference, batchSize: batchSize,
            beside: 2 * batchSize * count * MemoryLayout<Float>.stride,
            device: device)
    }

    /// What the metric sees of pictures, as many as there are.
    /// - Throws: `InputError` if they are of another shape, or `DeviceError`.
    public func embeddings(of images: ImageBatch) throws -> [PictureEmbedding] {
        try images.check(fits: input)
        var embeddings: [PictureEmbedding] = []
        for first in stride(from: 0, to: images.count, by: batchSize) {
            let part = images[first..<min(first + batchSize, images.count)]
            var values = [[Float]](repeating: [], count: part.count)
            for place in values.indices { values[place].reserveCapacity(count) }
            executor.visitKeptLayers(of: part) { output in
                guard let factors = factors[output.layer] else { return }
                let scaled = output.scaled(by: factors, isNormalized: isNormalized)
                let size = scaled.count / part.count
                for place in values.indices { values[place] += scaled[place * size..<(place + 1) * size] }
            }
            try executor.checkDevice()
            embeddings += values.map(PictureEmbedding.init)
        }
        return embeddings
    }
}
