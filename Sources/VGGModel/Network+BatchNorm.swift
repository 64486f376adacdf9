extension Network {
    /// The same function without batch norm: in inference it is a factor and a shift for every channel, which the
    /// weights and bias of the convolution before can carry.
    ///
    /// - Parameter weights: of this network, under torchvision's names.
    /// - Returns: a network without the batch norms that follow a convolution, and its weights. Layers after them
    ///   have other names than before.
    /// - Throws: `ModelError` never for a network that exists.
    public func foldingBatchNorm(
        _ weights: [String: Tensor]
    ) throws(ModelError) -> (network: Network, weights: [String: Tensor]) {
        var kept: [PlacedLayer] = []
        var tensors: [[String: Tensor]] = []
        for placed in layers {
            let own = Dictionary(
                uniqueKeysWithValues: placed.parameters.compactMap { parameter in
                    weights[parameter.name].map { (String(parameter.name.dropFirst(placed.name.count)), $0) }
                })
            if case .batchNorm(let norm) = placed.layer, case .convolution? = kept.last?.layer {
                fold(norm, own, into: &tensors[tensors.count - 1])
            } else {
                kept.append(placed)
                tensors.append(own)
            }
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
        return (network, renamed)
    }

    private func fold(_ norm: BatchNorm, _ own: [String: Tensor], into convolution: inout [String: Tensor]) {
        guard let scale = own[".weight"]?.values, let shift = own[".bias"]?.values,
            let mean = own[".running_mean"]?.values, let variance = own[".running_var"]?.values,
            var weight = convolution[".weight"], var bias = convolution[".bias"]
        else { return }
        let size = weight.values.count / max(norm.channels, 1)
        for channel in 0..<norm.channels {
            let factor = scale[channel] / (variance[channel] + norm.epsilon).squareRoot()
            for index in channel * size..<(channel + 1) * size { weight.values[index] *= factor }
            bias.values[channel] = (bias.values[channel] - mean[channel]) * factor + shift[channel]
        }
        convolution[".weight"] = weight
        convolution[".bias"] = bias
    }
}
