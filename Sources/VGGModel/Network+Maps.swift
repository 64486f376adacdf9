extension Network {
    /// The layers up to one that makes maps, for pictures of another size. Convolutions, ReLUs, batch norms and pools take every
    /// height and width, and have here the same numbers, names and tensors as in the whole network.
    ///
    ///     let vgg16 = try vgg(…, inChannels: 3)
    ///     let style = try vgg16.maps(upTo: vgg16.layerIndex(named: "relu4_3"), height: 384, width: 512)
    ///
    /// - Parameters:
    ///   - last: of `layers`.
    ///   - isAveraging: makes average pools, of the same windows, of the max pools (Gatys et al. 2016, section 2).
    ///   - borders: of the convolutions.
    /// - Throws: `ModelError.noMaps` if the layer makes a vector, `.pictureTooSmall` with the least side that would do.
    public func maps(
        upTo last: Int, height: Int, width: Int, isAveraging: Bool = false,
        borders: Convolution.Borders = .zero
    ) throws(ModelError) -> Network {
        guard case .map = layers[last].output, case .map(let channels, _, _) = input else {
            throw .noMaps(layers[last].name)
        }
        var index = 0
        var blocks: [Block] = []
        for block in self.blocks where index <= last {
            let kept = block.layers.prefix(last + 1 - index).map { layer -> Layer in
                switch layer {
                case .maxPool(let pool) where isAveraging: return .averagePool(pool)
                case .convolution(var convolution):
                    convolution.borders = borders
                    return .convolution(convolution)
                default: return layer
                }
            }
            index += block.layers.count
            if case .single = block {
                blocks += kept.map(Block.single)
            } else {
                blocks.append(.sequential(kept))
            }
        }
        func network(_ height: Int, _ width: Int) throws(ModelError) -> Network {
            try Network(input: .map(channels: channels, height: height, width: width), blocks: blocks)
        }
        do throws(ModelError) {
            return try network(height, width)
        } catch {
            guard case .inputTooSmall = error else { throw error }
            // The convolutions' weights fit every side, so that some larger one does.
            let least = (min(height, width)...8192).first { (try? network($0, $0)) != nil }
            throw .pictureTooSmall(
                height: height, width: width,
                layer: layerAliases.first { $0.value == last }?.key ?? layers[last].name,
                least: least ?? 8192)
        }
    }
}

extension Network {
    /// Whether a convolution's borders are reflected.
    package var hasReflectedBorders: Bool {
        layers.contains {
            if case .convolution(let layer) = $0.layer { layer.borders == .reflect } else { false }
        }
    }
}
