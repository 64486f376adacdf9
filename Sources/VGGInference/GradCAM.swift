import VGGEngine
import VGGModel

/// Where a network looks when it sees a class: Grad-CAM (Selvaraju et al. 2017), section 3.
///
/// The maps of a layer are weighted with the mean gradient of the class's logit with respect to each, summed, and
/// what is negative is dropped.
public final class GradCAM {
    /// The layer whose maps are explained, by its name in the network that was given.
    public let layer: String
    private let executor: Executor
    private let layerIndex: Int
    private let classes: Int
    /// What batch norm, folded into the explained convolution, adds to each of its maps.
    private let shifts: [Float]

    /// - Parameters:
    ///   - network: any that ends in a linear layer; dropout does nothing here.
    ///   - weights: under torchvision's names.
    ///   - layer: a convolution or what follows it, by a name that `Network.layerIndex(named:)` knows; nil for
    ///     the last ReLU before the classifier.
    /// - Throws: `ModelError` if there is no such layer or it makes no maps; `WeightsError`; `PlanError`.
    public init(
        _ network: Network, weights: [String: Tensor], layer: String? = nil, device: Device
    ) throws {
        let names = network.layerAliases.sorted { $0.value < $1.value }.filter {
            if case .map = network.layers[$0.value].output { true } else { false }
        }.map(\.key)
        guard let name = layer ?? names.last(where: { $0.hasPrefix("relu") }) ?? names.last else {
            throw ModelError.unknownLayer(layer ?? "", known: [])
        }
        let index = try network.layerIndex(named: name)
        guard case .map = network.layers[index].output else { throw ModelError.noMaps(name) }
        // In inference batch norm is part of the convolution before it, and dropout is nothing.
        let folded = try network.foldingBatchNorm()
        let foldedWeights = try folded.weights(from: weights)
        let plain = try folded.network.withoutDropout()
        self.layer = name
        layerIndex = folded.places[index]
        shifts = network.batchNormShifts(after: index, weights, places: folded.places)
        classes = network.output.count
        let plan = try Plan(plain, batchSize: 1, mode: .training, keeping: [layerIndex])
        try plan.checkFits(on: device)
        executor = try Executor(plan: plan, device: device)
        try executor.load(foldedWeights)
    }

    /// The logits of an image.
    /// - Throws: `InputError` if it is of another shape than the network's.
    public func logits(_ image: ImageBatch) throws(InputError) -> [Float] {
        try image.check(fits: executor.plan.network.input)
        return executor.logits(image)
    }

    /// The map of what speaks for a class.
    /// - Parameters:
    ///   - image: one.
    ///   - label: 0 ..< classes.
    /// - Returns: [height, width] of the layer's maps; not scaled, no number negative.
    /// - Throws: `InputError` if the image is of another shape than the network's.
    public func map(of image: ImageBatch, class label: Int) throws(InputError) -> Tensor {
        precondition((0..<classes).contains(label), "there is no class \(label)")
        try image.check(fits: executor.plan.network.input)
        let (maps, gradients) = executor.mapsAndGradients(of: image, logit: label, layer: layerIndex)
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
        return Tensor(shape: [height, width], values: sums.map { Float(max(0, $0)) })
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

    fileprivate func withoutDropout() throws(ModelError) -> Network {
        try Network(
            input: input,
            blocks: blocks.map { block in
                func change(_ layer: Layer) -> Layer {
                    if case .dropout = layer { .dropout(0) } else { layer }
                }
                return switch block {
                case .sequential(let layers): .sequential(layers.map(change))
                case .single(let layer): .single(change(layer))
                }
            })
    }
}
