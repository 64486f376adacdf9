import VGGModel

/// How a library names the tensors of a VGG. Inside this package they have torchvision's names.
public enum WeightNaming: String, CaseIterable, Hashable, Sendable, Codable {
    /// `features.0.weight`, `classifier.6.bias`.
    case torchvision
    /// torchvision's names for the convolutions; the two hidden layers are the convolutions
    /// `pre_logits.fc1` and `.fc2`, the last one is `head.fc`.
    case timm
    /// A `Sequential` of blocks, as d2l.ai's chapter nests them: `0.0.weight`, `2.2.weight`, `12.bias`.
    case d2l

    /// A tensor of a network and what a library calls it.
    public struct Entry: Hashable, Sendable {
        /// torchvision's name and shape.
        public let parameter: ParameterDescription
        /// The name and the shape in this naming; the order of the numbers is always the same.
        public let name: String
        /// As the other library has it.
        public let shape: [Int]
    }

    /// Every tensor of `network` in the network's order.
    /// - Returns: nil if the library has no names for such a network: timm's are for two hidden layers, with or without
    ///   a last one, and for features alone.
    public func entries(of network: Network) -> [Entry]? {
        switch self {
        case .torchvision: network.entries { layer, _ in layer.name }
        case .timm: Self.timmEntries(of: network)
        case .d2l: network.entries { _, place in place }
        }
    }

    /// The network's tensors under torchvision's names and with its shapes, whatever naming they are in: layer by layer
    /// in the order of their names. Others beside them, such as PyTorch's counters of batches, are left out; those that
    /// are not there are missing, and those of other shapes keep them.
    /// - Throws: `NotVGGError` if the convolutions are not the network's.
    public static func canonical(
        _ tensors: NamedTensors, for network: Network
    ) throws(NotVGGError) -> [String: Tensor] {
        let names = Set(network.parameters.map(\.name))
        if names == Set(tensors.names) { return tensors.dictionary }
        let channels = network.layers.compactMap { placed -> Int? in
            if case .convolution(let layer) = placed.layer { layer.outChannels } else { nil }
        }
        return try StoredNetwork.find(in: try StoredLayers(tensors), .channels(channels)).tensors(
            for: network)
    }

    /// What to say about tensors that are in a file and not of its network; nil if there are none.
    package static func note(passedOver names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " …" : "")
        return
            "passed over \(names.count == 1 ? "a tensor" : "\(names.count) tensors") that the network has no place "
            + "for: \(shown)"
    }

    private static func timmEntries(of network: Network) -> [Entry]? {
        let linear = network.linearLayers
        guard linear.isEmpty || linear.count == (network.head == nil ? 2 : 3) else { return nil }
        let flattened = network.flattenInput?.dimensions ?? []
        guard linear.isEmpty || flattened.count == 3 else { return nil }
        let names = zip(linear.map(\.name), ["pre_logits.fc1", "pre_logits.fc2", "head.fc"])
        let renamed = Dictionary(uniqueKeysWithValues: names)
        let entries = network.entries { layer, _ in renamed[layer.name] ?? layer.name }
        return entries.map { entry in
            let shape: [Int]
            switch entry.name {
            case "pre_logits.fc1.weight": shape = flattened
            case "pre_logits.fc2.weight": shape = [entry.shape[1], 1, 1]
            default: return entry
            }
            return Entry(parameter: entry.parameter, name: entry.name, shape: entry.shape.prefix(1) + shape)
        }
    }
}

extension Network {
    /// The shape that is flattened before the first linear layer.
    fileprivate var flattenInput: Shape? { layers.first { $0.layer == .flatten }?.input }

    /// - Parameter module: what a layer is called, given its place in nested Sequentials, such as `2.0`.
    fileprivate func entries(_ module: (PlacedLayer, String) -> String) -> [WeightNaming.Entry] {
        var entries: [WeightNaming.Entry] = []
        var index = 0
        for (block, content) in blocks.enumerated() {
            for position in content.layers.indices {
                let layer = layers[index]
                index += 1
                var place = "\(block)"
                if case .sequential = content { place += ".\(position)" }
                let name = module(layer, place)
                entries += layer.parameters.map { parameter in
                    // The last component says which tensor of the layer it is.
                    let suffix = parameter.name.dropFirst(layer.name.count)
                    return WeightNaming.Entry(
                        parameter: parameter, name: name + suffix, shape: parameter.shape)
                }
            }
        }
        return entries
    }
}
