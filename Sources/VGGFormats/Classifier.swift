import VGGModel

/// The linear layers of a file that follow a VGG's blocks, in their order.
struct Classifier {
    private(set) var layers: [StoredLayer] = []

    /// Looks below the prefix of the convolutions first, then around it: for what has a name that PyTorch's libraries
    /// give a classifier, then for any linear layers. Such layers that are no chain are those of something else, like a
    /// detector, and then there is no classifier.
    /// - Throws: `NotVGGError` if what is called a classifier, or stands among the convolutions, is none.
    init(
        in all: StoredLayers, after convolutions: [StoredLayer], below prefix: [String]
    ) throws(NotVGGError) {
        // How many first components of its name each has in common with the convolutions.
        let candidates = all.all.filter {
            !$0.isAuxiliary && ($0.kind == .linear || $0.kind == .convolution && $0.isOfClassifier)
        }.map { (layer: $0, shared: $0.name.components.sharedPrefix(with: prefix)) }
        let channels = convolutions.last?.outputs ?? 0
        let named = candidates.compactMap { layer, shared in
            Called(layer.name, below: shared).map { (layer: layer, called: $0) }
        }
        if let best = named.map(\.called).min() {
            let layers = named.filter { $0.called == best }.map(\.layer)
            self.layers = try Self.chained(layers, channels: channels)
        } else {
            let nearest = candidates.map(\.shared).max()
            let near = candidates.filter { $0.shared == nearest }.map(\.layer)
            do {
                layers = try Self.chained(near, channels: channels)
            } catch {
                guard prefix.isEmpty || nearest == prefix.count else { return }
                throw error
            }
        }
        if let norm = all.all.first(where: {
            $0.kind == .batchNorm && $0.isOfClassifier && !$0.isAuxiliary
        }),
            !layers.isEmpty
        {
            throw NotVGGError("\(norm.fileName) is a batch norm in the classifier")
        }
    }

    /// More than anybody puts in a row.
    private static let maximumLayers = 64

    /// A component of a name that says that the layer is of a classifier; the best one comes first.
    private struct Called: Comparable {
        /// Where it stands in the name.
        let place: Int
        let rank: Int

        /// torchvision's, and timm's.
        private static let ranks = ["classifier": 0, "pre_logits": 1, "head": 1]

        /// - Parameter shared: how many components come before it at most.
        init?(_ name: LayerName, below shared: Int) {
            let components = name.components.prefix(shared + 1)
            guard
                let last = components.lastIndex(where: { Self.ranks[$0.lowercased()] != nil }),
                let rank = Self.ranks[components[last].lowercased()]
            else { return nil }
            (place, self.rank) = (last, rank)
        }

        static func < (a: Self, b: Self) -> Bool { (b.place, a.rank) < (a.place, b.rank) }
    }

    /// The layers in the order in which each takes what the one before makes: that of their names, or if there is
    /// exactly one other of a few, that.
    private static func chained(
        _ layers: [StoredLayer], channels: Int
    ) throws(NotVGGError) -> [StoredLayer] {
        guard layers.count <= maximumLayers else {
            throw NotVGGError("\(layers.count) linear layers are no classifier")
        }
        let layers = layers.inOrderOfNames
        var problem: NotVGGError?
        for (index, layer) in layers.enumerated() where problem == nil {
            problem =
                index == 0 ? layer.problem(after: channels) : layer.problem(afterFeatures: layers[index - 1])
        }
        guard let problem else { return layers }
        guard layers.count <= 6 else { throw problem }
        let orders = orders(of: layers, channels: channels)
        guard orders.count == 1 else { throw problem }
        return orders[0]
    }

    /// Every order in which the layers are a chain; two at most.
    private static func orders(of layers: [StoredLayer], channels: Int) -> [[StoredLayer]] {
        var orders: [[StoredLayer]] = []
        func extend(_ chain: [StoredLayer], _ rest: [StoredLayer]) {
            if rest.isEmpty { orders.append(chain) }
            for (index, layer) in rest.enumerated() where orders.count < 2 {
                let problem = chain.last.map(layer.problem(afterFeatures:)) ?? layer.problem(after: channels)
                guard problem == nil else { continue }
                var others = rest
                others.remove(at: index)
                extend(chain + [layer], others)
            }
        }
        extend([], layers)
        return orders
    }
}

extension StoredLayer {
    /// Numbers that a linear layer takes, also where it is written as a convolution.
    var features: Int { outputs > 0 ? (weight?.values.count ?? 0) / outputs : 0 }

    /// The side of the maps of so many channels that a linear layer takes; nil if there are no such maps.
    func extent(channels: Int) -> Int? {
        guard channels > 0, outputs > 0, features > 0, features % channels == 0 else { return nil }
        let extent = Int(Double(features / channels).squareRoot())
        guard extent * extent * channels == features else { return nil }
        return shape.count == 2 || shape[1...] == [channels, extent, extent] ? extent : nil
    }

    /// Why it cannot be the first linear layer after so many channels.
    fileprivate func problem(after channels: Int) -> NotVGGError? {
        guard let extent = extent(channels: channels) else {
            return NotVGGError(
                "\(fileName) has the shape \(shape), whose inputs are no square maps of \(channels)")
        }
        // What comes before a mean over the maps or after it cannot be told of such a convolution.
        guard shape.count == 2 || extent > 1 || name.components.contains("pre_logits") else {
            return NotVGGError("\(fileName) is a 1×1 convolution in place of a linear layer")
        }
        return nil
    }

    /// Why it cannot be the linear layer after another.
    fileprivate func problem(afterFeatures previous: StoredLayer) -> NotVGGError? {
        guard outputs > 0,
            shape.dropFirst() == [previous.outputs] || shape.dropFirst() == [previous.outputs, 1, 1]
        else {
            return NotVGGError("\(fileName) has the shape \(shape) after \(previous.outputs) features")
        }
        return nil
    }
}

extension [String] {
    /// How many first elements are the same.
    fileprivate func sharedPrefix(with other: [String]) -> Int { zip(self, other).prefix { $0 == $1 }.count }
}
