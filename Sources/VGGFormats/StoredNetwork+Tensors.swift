import VGGFiles
import VGGModel

extension StoredNetwork {
    /// The tensors of the file that are `network`'s, under its names and with its shapes where they have as many
    /// numbers: layer by layer in order, whatever the file calls them. Those that the file lacks are missing here.
    /// - Throws: `NotVGGError` if the file has batch norm and the network has not.
    func tensors(for network: Network) throws(NotVGGError) -> [String: Tensor] {
        guard norms.isEmpty || network.hasBatchNorm() else {
            throw NotVGGError("\(norms[0].fileName) is a batch norm, which the network does not have")
        }
        let present = [convolutions, norms, linear].map { Set($0.flatMap(\.tensors.keys)) }
        var tensors: [String: Tensor] = [:]
        for (layer, stored) in network.matched(to: self) {
            for parameter in layer.parameters {
                guard
                    let role = LayerName.Role(
                        rawValue: String(parameter.name.dropFirst(layer.name.count + 1)))
                else { continue }
                if let tensor = stored.tensors[role] {
                    tensors[parameter.name] =
                        tensor.values.count == parameter.shape.reduce(1, *)
                        ? Tensor(shape: parameter.shape, values: tensor.values) : tensor
                } else if let value = layer.default(for: role), !present[layer.kind].contains(role) {
                    // A tensor that no layer of its kind has, as of convolutions without bias.
                    tensors[parameter.name] = Tensor(
                        shape: parameter.shape,
                        values: [Float](repeating: value, count: parameter.shape.reduce(1, *)))
                }
            }
        }
        return tensors
    }

    /// Names of tensors that are not the network's, in the file's order.
    func strangers(in layers: StoredLayers, _ tensors: NamedTensors) -> [String] {
        let used = Set((convolutions + norms + linear).flatMap(\.tensorNames))
        let others = Set(layers.all.flatMap(\.tensorNames)).subtracting(used).union(layers.strangers)
        return tensors.names.filter(others.contains)
    }

    /// That no layer is passed over that might be a part of the network.
    /// - Parameter isKnown: whether somebody said which network it is; what only might be a part is then none.
    /// - Throws: `NotVGGError` that names the first such layer of the file.
    func checkNothingElse(
        in layers: StoredLayers, isKnown: Bool, _ tensors: NamedTensors
    ) throws(NotVGGError) {
        let used = Set((convolutions + norms + linear).map(\.name))
        let patterns = Set(convolutions.map(\.name.pattern))
        let order = tensors.names == tensors.names.sorted() ? [] : layers.all.map(\.name)
        let first = order.firstIndex { $0 == convolutions[0].name }
        let last = order.lastIndex(where: used.contains)
        for (index, layer) in layers.all.enumerated() where !used.contains(layer.name) {
            // In a Sequential of theirs every layer counts.
            let isInside =
                !prefix.isEmpty && layer.name.components.starts(with: prefix)
                || patterns.contains(layer.name.pattern)
            guard !isInside || isCut, linear.isEmpty || !layer.isOfClassifier || layer.kind != .other,
                !layer.isActivation
            else {
                throw NotVGGError(
                    layer.weight == nil
                        ? "\(layer.fileName) has no weight"
                        : "layer \(layer.fileName.quotedName) has no place in it")
            }
            if let last = linear.last, layer.follows(last) {
                throw NotVGGError(
                    "layer \(layer.fileName.quotedName) reads what its classifier makes, which is then not the end of it"
                )
            }
            guard !isKnown, !layer.isAuxiliary, !isCut else { continue }
            let stands = if let first, let last { (first...last).contains(index) } else { false }
            let reads =
                !linear.isEmpty && order.isEmpty && layer.kind == .convolution
                && layer.inputs == convolutions.last?.outputs
            guard !(stands && layer.weight != nil && layer.kind != .batchNorm), !reads else {
                throw NotVGGError("layer \(layer.fileName.quotedName) may belong to it", rows)
            }
        }
    }
}

extension StoredLayer {
    /// Whether it is a convolution behind the last layer of the classifier that takes as many channels as that makes: the
    /// scores of a network for segmentation.
    fileprivate func follows(_ last: StoredLayer) -> Bool {
        kind == .convolution && !isAuxiliary && inputs == last.outputs && place > last.place
    }

    /// Whether it is an activation with numbers of its own, such as PReLU.
    fileprivate var isActivation: Bool {
        name.components.contains { component in
            let word = component.lowercased().prefix { $0.isLetter }
            return ["prelu", "relu", "act", "activation"].contains(word)
        }
    }
}

extension PlacedLayer {
    /// 0 for convolutions, 1 for batch norms and 2 for linear layers.
    fileprivate var kind: Int {
        switch layer {
        case .convolution: 0
        case .batchNorm: 1
        default: 2
        }
    }

    /// The value that a tensor has where nobody trained it.
    fileprivate func `default`(for role: LayerName.Role) -> Float? {
        switch (role, layer) {
        case (.bias, _): 0
        case (.weight, .batchNorm): 1
        default: nil
        }
    }
}

extension Network {
    /// The layers with tensors and those that the file has for them; of a classifier of another length those of the same
    /// names.
    func matched(to stored: StoredNetwork) -> [(PlacedLayer, StoredLayer)] {
        func placed(_ isKind: (Layer) -> Bool) -> [PlacedLayer] { layers.filter { isKind($0.layer) } }
        let convolutions = placed { if case .convolution = $0 { true } else { false } }
        let norms = placed { if case .batchNorm = $0 { true } else { false } }
        // A classifier may have lost its last layer, or got one that the file has not.
        let missing = linearLayers.count - stored.linear.count
        let linear = missing == 0 || missing == 1 && stored.isHeadless ? linearLayers : []
        let named =
            linear.isEmpty
            ? linearLayers.compactMap { layer in
                stored.linear.first { $0.fileName == layer.name }.map { (layer, $0) }
            } : []
        return [zip(convolutions, stored.convolutions), zip(norms, stored.norms), zip(linear, stored.linear)]
            .flatMap { Array($0) } + named
    }
}
