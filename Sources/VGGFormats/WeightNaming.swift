import VGGModel

/// How a library names the tensors of a VGG. Inside this package they have torchvision's names.
public enum WeightNaming: String, CaseIterable, Hashable, Sendable, Codable {
    /// `features.0.weight`, `classifier.6.bias`.
    case torchvision
    /// torchvision's names for the convolutions; the hidden layers are the convolutions `pre_logits.fc1`
    /// and `.fc2`, the last one is `head.fc`.
    case timm
    /// A `Sequential` of blocks, as d2l.ai's chapter nests them: `0.0.weight`, `2.2.weight`, `12.bias`.
    case d2l

    /// A tensor of a network and what a library calls it.
    public struct Entry: Hashable, Sendable {
        /// torchvision's name and shape.
        public let parameter: ParameterDescription
        /// The name and the shape in this naming; the order of the numbers is always the same.
        public let name: String
        public let shape: [Int]
    }

    /// Every tensor of `network` in the network's order.
    /// - Returns: nil if the library has no names for such a network: timm's are for three linear layers.
    public func entries(of network: Network) -> [Entry]? {
        switch self {
        case .torchvision: network.entries { layer, _ in layer.name }
        case .timm: Self.timmEntries(of: network)
        case .d2l: network.entries { _, place in place }
        }
    }

    /// The tensors under torchvision's names and with its shapes, whatever naming they are in.
    ///
    /// A prefix that all names have because the model was wrapped (`module.`) is taken off, and PyTorch's
    /// counters of batches are left out. Tensors that are not `network`'s keep their names, and those that do
    /// not fit it their shapes.
    public static func canonical(_ tensors: NamedTensors, for network: Network) -> [String: Tensor] {
        var tensors = WrappedNames.removed(from: tensors).dictionary
        let namings = allCases.map { $0.entries(of: network) } + [torchvision2017Entries(of: network)]
        let match = namings.lazy.compactMap { $0 }.first { entries in
            entries.allSatisfy { tensors[$0.name] != nil }
        }
        guard let match else { return tensors }
        var result: [String: Tensor] = [:]
        for entry in match {
            guard let tensor = tensors.removeValue(forKey: entry.name) else { continue }
            result[entry.parameter.name] =
                tensor.shape == entry.shape
                ? Tensor(shape: entry.parameter.shape, values: tensor.values) : tensor
        }
        return result.merging(tensors) { known, _ in known }
    }

    private static func timmEntries(of network: Network) -> [Entry]? {
        let linear = network.layers.filter { if case .linear = $0.layer { true } else { false } }
        guard linear.count == 3, case .map(_, let height, let width)? = network.flattenInput else {
            return nil
        }
        let names = zip(linear.map(\.name), ["pre_logits.fc1", "pre_logits.fc2", "head.fc"])
        let renamed = Dictionary(uniqueKeysWithValues: names)
        let entries = network.entries { layer, _ in renamed[layer.name] ?? layer.name }
        return entries.map { entry in
            let size: (height: Int, width: Int)
            switch entry.name {
            case "pre_logits.fc1.weight": size = (height, width)
            case "pre_logits.fc2.weight": size = (1, 1)
            default: return entry
            }
            let (out, features) = (entry.shape[0], entry.shape[1])
            return Entry(
                parameter: entry.parameter, name: entry.name,
                shape: [out, features / (size.height * size.width), size.height, size.width])
        }
    }

    /// torchvision's classifier of 2017 began with a dropout layer, which shifted the hidden layers by one.
    private static func torchvision2017Entries(of network: Network) -> [Entry]? {
        network.entries { layer, _ in
            switch layer.name {
            case "classifier.0": "classifier.1"
            case "classifier.3": "classifier.4"
            default: layer.name
            }
        }
    }
}

/// What wrappers of PyTorch put before all names of a model.
enum WrappedNames {
    /// DataParallel, torch.compile, and modules that keep the model in a property.
    private static let prefixes = ["module.", "_orig_mod.", "model."]

    /// The tensors without such prefixes and without batch norm's counters, which inference does not need.
    static func removed(from tensors: NamedTensors) -> NamedTensors {
        var names = tensors.names.map { (name: Substring($0), key: $0) }
            .filter { !$0.name.hasSuffix("num_batches_tracked") }
        guard !names.isEmpty else { return [:] }
        while let prefix = prefixes.first(where: { prefix in names.allSatisfy { $0.name.hasPrefix(prefix) } })
        {
            names = names.map { ($0.name.dropFirst(prefix.count), $0.key) }
        }
        return NamedTensors(
            names.lazy.compactMap { name, key in tensors[key].map { (name: String(name), tensor: $0) } })
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
