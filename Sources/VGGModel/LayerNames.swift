extension Network {
    /// The names of the VGG literature, and the layers they stand for: `conv4_3` is the third convolution of the
    /// fourth block, `bn4_3` and `relu4_3` come after it, `pool4` ends the block; after five blocks the linear
    /// layers are `fc6`, `fc7` and `fc8`, each without the `relu6` and `relu7` that follow (the layer names of
    /// the paper's published models).
    public var layerAliases: [String: Int] {
        var aliases: [String: Int] = [:]
        var block = 1
        var convolution = 0
        var suffix = ""
        for (index, placed) in layers.enumerated() {
            var number = suffix
            switch placed.layer {
            case .convolution:
                convolution += 1
                suffix = "\(block)_\(convolution)"
                number = suffix
            case .maxPool:
                number = "\(block)"
                block += 1
                convolution = 0
            case .linear:
                suffix = "\(block)"
                number = suffix
                block += 1
            default: break
            }
            if let name = placed.layer.description.literatureName { aliases[name + number] = index }
        }
        return aliases
    }

    /// The layer of a name: one of `layerAliases`, or torchvision's, such as `features.22` or `avgpool`.
    /// - Throws: `ModelError.unknownLayer`.
    public func layerIndex(named name: String) throws(ModelError) -> Int {
        if let index = layerAliases[name] ?? layers.firstIndex(where: { $0.name == name }) { return index }
        let known = layerAliases.sorted { $0.value < $1.value }.map(\.key)
        throw .unknownLayer(name, known: known)
    }
}
