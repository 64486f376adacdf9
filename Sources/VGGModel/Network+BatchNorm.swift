/// A network whose batch norms are part of the convolutions before them: in inference a batch norm is a factor and a
/// shift for every channel, which the weights and bias of a convolution can carry.
public struct FoldedNetwork: Sendable {
    /// The network without the batch norms that were folded.
    public let network: Network
    /// For each layer of the original network the layer here that has taken its place: for a batch norm that was
    /// folded, and for the convolution before it, the convolution that carries both.
    public let places: [Int]
    private let original: Network

    fileprivate init(_ original: Network) throws(ModelError) {
        self.original = original
        var kept: [PlacedLayer] = []
        var places: [Int] = []
        for placed in original.layers {
            if case .batchNorm = placed.layer, case .convolution? = kept.last?.layer {
                // The convolution stands for both.
            } else {
                kept.append(placed)
            }
            places.append(kept.count - 1)
        }
        self.places = places
        network = try Network(
            input: original.input,
            blocks: original.blocks.indices.compactMap { block -> Block? in
                let layers = kept.filter { $0.block == block }.map(\.layer)
                if case .sequential = original.blocks[block] { return .sequential(layers) }
                return layers.first.map(Block.single)
            })
    }

    /// The tensors that make the network here the same function as the original one.
    /// - Parameter weights: of the original network, under torchvision's names.
    /// - Throws: `WeightsError` that names the tensor at fault.
    public func weights(from weights: [String: Tensor]) throws(WeightsError) -> [String: Tensor] {
        try WeightsError.check(weights, are: original.parameters)
        var folded: [String: Tensor] = [:]
        for (placed, place) in zip(original.layers, places) {
            let name = network.layers[place].name
            if case .batchNorm(let norm) = placed.layer, case .convolution = network.layers[place].layer {
                ChannelMap(norm, named: placed.name, weights)?.apply(toConvolution: name, in: &folded)
            } else {
                for parameter in placed.parameters {
                    folded[name + parameter.name.dropFirst(placed.name.count)] = weights[parameter.name]
                }
            }
        }
        return folded
    }
}

extension Network {
    /// Whether any of its layers is a batch norm, of those from `first` on.
    package func hasBatchNorm(from first: Int = 0) -> Bool {
        layers.dropFirst(first).contains { if case .batchNorm = $0.layer { true } else { false } }
    }

    /// The same function without batch norm, for inference. A batch norm after anything but a convolution stays.
    /// - Throws: `ModelError` never for a network that exists.
    public func foldingBatchNorm() throws(ModelError) -> FoldedNetwork { try FoldedNetwork(self) }
}

/// What batch norm is in inference: a factor and a shift for every channel.
package struct ChannelMap {
    package let factors: [Float]
    package let shifts: [Float]

    /// nil if one of the norm's tensors is missing.
    package init?(_ norm: BatchNorm, named name: String, _ weights: [String: Tensor]) {
        guard let scale = weights["\(name).weight"]?.values, let bias = weights["\(name).bias"]?.values,
            let mean = weights["\(name).running_mean"]?.values,
            let variance = weights["\(name).running_var"]?.values
        else { return nil }
        let factors = zip(scale, variance).map { $0 / ($1 + norm.epsilon).squareRoot() }
        self.factors = factors
        shifts = factors.indices.map { bias[$0] - mean[$0] * factors[$0] }
    }

    /// Makes a convolution's weight and bias those of the convolution followed by this.
    fileprivate func apply(toConvolution name: String, in tensors: inout [String: Tensor]) {
        guard let weight = tensors["\(name).weight"], let bias = tensors["\(name).bias"] else { return }
        var weights = Array(weight.values)
        let size = weights.count / max(factors.count, 1)
        for (channel, factor) in factors.enumerated() {
            for index in channel * size..<(channel + 1) * size { weights[index] *= factor }
        }
        tensors["\(name).weight"] = Tensor(shape: weight.shape, values: weights)
        tensors["\(name).bias"] = Tensor(
            shape: bias.shape, values: zip(bias.values, zip(factors, shifts)).map { $0 * $1.0 + $1.1 })
    }
}
