import VGGEngine
import VGGModel

/// Where a network looks when it sees a class: Grad-CAM (Selvaraju et al. 2017), section 3.
///
/// The maps of a layer are weighted with the mean gradient of the class's logit with respect to each, summed, and
/// what is negative is dropped.
public final class GradCAM {
    /// The layer whose maps are explained, by its name in the network that was given.
    public let layer: String
    /// What the maps' gradients come from, for other explanations with the same weights.
    public let gradients: LogitGradients
    private let layerIndex: Int
    /// What batch norm, folded into the explained convolution, adds to each of its maps.
    private let shifts: [Float]

    /// - Parameters:
    ///   - network: any that ends in a linear layer; dropout does nothing here.
    ///   - weights: under torchvision's names.
    ///   - layer: a convolution or what follows it, by a name that `Network.layerIndex(named:)` knows; nil for
    ///     the last ReLU before the classifier.
    ///   - batchSize: of other explanations; Grad-CAM is of one image at a time.
    /// - Throws: `ModelError` if there is no such layer or it makes no maps; `WeightsError`; `PlanError`.
    public init(
        _ network: Network, weights: [String: Tensor], layer: String? = nil, batchSize: Int = 1,
        device: Device
    ) throws {
        let names = network.layerAliases.sorted { $0.value < $1.value }.filter {
            if case .map = network.layers[$0.value].output { true } else { false }
        }.map(\.key)
        guard let name = layer ?? names.last(where: { $0.hasPrefix("relu") }) ?? names.last else {
            throw ModelError.unknownLayer(layer ?? "", known: [])
        }
        layerIndex = try network.layerIndex(named: name)
        guard case .map = network.layers[layerIndex].output else { throw ModelError.noMaps(name) }
        self.layer = name
        gradients = try LogitGradients(
            network, weights: weights, keeping: layerIndex, batchSize: batchSize, device: device)
        shifts = network.batchNormShifts(after: layerIndex, weights, places: gradients.places)
    }

    /// The logits of an image.
    /// - Throws: `InputError` if it is of another shape than the network's; `DeviceError`.
    public func logits(_ image: ImageBatch) throws -> [Float] {
        try gradients.logits(image)
    }

    /// The map of what speaks for a class.
    /// - Parameters:
    ///   - image: one.
    ///   - label: 0 ..< classes.
    /// - Returns: [height, width] of the layer's maps; not scaled, no number negative.
    /// - Throws: `InputError` if the image is of another shape than the network's; `DeviceError`.
    public func map(of image: ImageBatch, class label: Int) throws -> Tensor {
        let (maps, gradients) = try gradients.mapsAndGradients(of: image, class: label, layer: layerIndex)
        let (channels, height, width) = (maps.shape[1], maps.shape[2], maps.shape[3])
        let pixels = height * width
        var sums = [Double](repeating: 0, count: pixels)
        for channel in 0..<channels {
            let range = channel * pixels..<(channel + 1) * pixels
            let weight = gradients.values[range].reduce(0.0) { $0 + Double($1) } / Double(pixels)
            // A folded batch norm's factor is in the maps and, inverted, in the gradients; its shift is not.
            let shift = channel < shifts.count ? shifts[channel] : 0
            for pixel in 0..<pixels {
                sums[pixel] += weight * Double(maps.values[range.lowerBound + pixel] - shift)
            }
        }
        return Tensor(shape: [height, width], values: sums.map { Float($0 < 0 ? 0 : $0) })
    }
}

extension Network {
    /// What the batch norms that were folded into a layer add to each channel after their factors; else none.
    fileprivate func batchNormShifts(
        after index: Int, _ weights: [String: Tensor], places: [Int]
    ) -> [Float] {
        var shifts: [Float] = []
        for next in layers.indices.dropFirst(index + 1) where places[next] == places[index] {
            guard case .batchNorm(let norm) = layers[next].layer,
                let map = ChannelMap(norm, named: layers[next].name, weights)
            else { continue }
            shifts =
                shifts.isEmpty
                ? map.shifts : zip(shifts, zip(map.factors, map.shifts)).map { $0 * $1.0 + $1.1 }
        }
        return shifts
    }
}
