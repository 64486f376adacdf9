/// A network whose batch norms are part of the convolutions before them.
public struct FoldedNetwork: Sendable {
    public let network: Network
    /// The network's tensors under torchvision's names, which may be others than before.
    public let weights: [String: Tensor]
    /// For each layer of the original network the layer here that has taken its place: for a batch norm that was
    /// folded, and for the convolution before it, the convolution that carries both.
    public let places: [Int]
}

extension Network {
    /// The same function without batch norm: in inference it is a factor and a shift for every channel, which the
    /// weights and bias of the convolution before can carry. A batch norm after anything else stays.
    ///
    /// - Parameter weights: of this network, under torchvision's names and in its shapes.
    /// - Throws: `ModelError` never for a network that exists.
    public func foldingBatchNorm(_ weights: [String: Tensor]) throws(ModelError) -> FoldedNetwork {
        var kept: [PlacedLayer] = []
        var tensors: [[String: Tensor]] = []
        var places: [Int] = []
        for placed in layers {
            if case .batchNorm(let norm) = placed.layer, case .convolution? = kept.last?.layer,
                let map = ChannelMap(norm, named: placed.name, weights)
            {
                map.apply(to: &tensors[tensors.count - 1])
            } else {
                kept.append(placed)
                tensors.append(
                    Dictionary(
                        uniqueKeysWithValues: placed.parameters.compactMap { parameter in
                            weights[parameter.name].map {
                                (String(parameter.name.dropFirst(placed.name.count)), $0)
                            }
                        }))
            }
            places.append(kept.count - 1)
        }
        let blocks = blocks.indices.compactMap { block -> Block? in
            let layers = kept.filter { $0.block == block }.map(\.layer)
            if case .sequential = self.blocks[block] { return .sequential(layers) }
            return layers.first.map(Block.single)
        }
        let network = try Network(input: input, blocks: blocks)
        var renamed: [String: Tensor] = [:]
        for (placed, own) in zip(network.layers, tensors) {
            for (suffix, tensor) in own { renamed[placed.name + suffix] = tensor }
        }
        return FoldedNetwork(network: network, weights: renamed, places: places)
    }
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

    /// Makes a convolution's `.weight` and `.bias` those of the convolution followed by this.
    fileprivate func apply(to convolution: inout [String: Tensor]) {
        guard let weight = convolution[".weight"], let bias = convolution[".bias"] else { return }
        let size = weight.values.count / max(factors.count, 1)
        convolution[".weight"] = Tensor(
            shape: weight.shape,
            values: weight.values.enumerated().map { index, value in value * factors[index / size] })
        convolution[".bias"] = Tensor(
            shape: bias.shape,
            values: bias.values.enumerated().map { channel, value in
                value * factors[channel] + shifts[channel]
            })
    }
}
