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
    /// What each channel of a layer is multiplied by.
    private let factors: [Int: [Float]]
    /// The layers' names, in the network's order, and where the numbers of each are in an embedding.
    private let parts: [(name: String, range: Range<Int>)]
    private let isNormalized: Bool

    /// - Parameters:
    ///   - whole: of any size, with or without a classifier.
    ///   - weights: under torchvision's names; others beside them are passed over.
    ///   - batchSize: so many pictures are run at once.
    ///   - precision: of the network's arithmetic; what is compared is made of it in single precision.
    /// - Throws: what `PictureNetwork` throws; `PerceptionError.linearCount`; `PlanError`.
    public init(
        _ metric: PerceptualMetric, _ whole: Network, weights: [String: Tensor], height: Int, width: Int,
        batchSize: Int = 16, precision: Precision = .fp32, device: Device
    ) throws {
        let pictures = try PictureNetwork(
            whole, weights: weights, layers: metric.layers, height: height, width: width)
        var factors: [Int: [Float]] = [:]
        var names: [Int: String] = [:]
        for (place, name) in metric.layers.enumerated() {
            guard let layer = pictures.places[name] else { continue }
            names[layer] = name
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
        var parts: [(name: String, range: Range<Int>)] = []
        for (layer, name) in names.sorted(by: { $0.key < $1.key }) {
            let start = parts.last?.range.upperBound ?? 0
            parts.append((name, start..<start + pictures.network.layers[layer].output.count))
        }
        self.parts = parts
        count = parts.last?.range.upperBound ?? 0
        input = pictures.network.input
        self.batchSize = batchSize
        executor = try pictures.executor(
            mode: .inference, batchSize: batchSize, precision: precision,
            beside: 2 * batchSize * count * MemoryLayout<Float>.stride, device: device)
    }

    /// The distances of the first picture and the second, the third and the fourth and so on: without embeddings, which are
    /// larger than what they are made of.
    /// - Parameter images: an even number of them.
    /// - Throws: `InputError` if they are of another shape, or `DeviceError`.
    public func distances(ofPairs images: ImageBatch) throws -> [Double] {
        precondition(images.count % 2 == 0, "pairs are of two")
        try images.check(fits: input)
        guard batchSize >= 2 else {
            let seen = try embeddings(of: images)
            return (0..<seen.count / 2).map { seen[2 * $0].distance(to: seen[2 * $0 + 1]) }
        }
        var distances: [Double] = []
        let step = batchSize / 2 * 2
        for first in stride(from: 0, to: images.count, by: step) {
            let part = images[first..<min(first + step, images.count)]
            var sums = [Double](repeating: 0, count: part.count / 2)
            executor.visitKeptLayers(of: part) { output in
                guard let factors = factors[output.layer] else { return }
                let own = output.squaredDistances(by: factors, isNormalized: isNormalized)
                for place in sums.indices { sums[place] += own[place] }
            }
            try executor.checkDevice()
            distances += sums
        }
        return distances
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

    /// How far two pictures are apart at each layer that is compared, in the network's order; the distance is their sum.
    /// - Precondition: both embeddings are of this metric.
    public func layers(of one: PictureEmbedding, _ other: PictureEmbedding) -> [(
        name: String, distance: Double
    )] {
        precondition(one.count == count && other.count == count, "both are of this metric")
        return parts.map { part in
            (part.name, Array(one.values[part.range]).squaredDistance(to: Array(other.values[part.range])))
        }
    }
}
