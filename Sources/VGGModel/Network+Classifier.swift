extension Network {
    /// The last linear layer, which makes one number a class; nil if the network does not end in one.
    public var head: PlacedLayer? {
        guard let last = layers.last, case .linear = last.layer else { return nil }
        return last
    }

    /// Every linear layer, in order.
    public var linearLayers: [PlacedLayer] {
        layers.filter { if case .linear = $0.layer { true } else { false } }
    }

    /// The blocks before the first that flattens: the same layers under the same names and numbers.
    /// - Throws: `ModelError` never for a network that exists.
    public func withoutClassifier() throws(ModelError) -> Network {
        try Network(input: input, blocks: Array(blocks.prefix { !$0.layers.contains(.flatten) }))
    }
}
