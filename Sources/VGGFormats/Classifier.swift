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
        let candidates = all.all.filter {
            !$0.isAuxiliary && ($0.kind == .linear || $0.kind == .convolution && $0.name.isOfClassifier)
        }
        let channels = convolutions.last?.outputs ?? 0
        let outer = (0...prefix.count).reversed().map { Array(prefix.prefix($0)) }
        let named = outer.lazy.flatMap { outer in
            Self.names.lazy.map { names in
                candidates.filter { $0.name.components.starts(with: outer) }.filter {
                    $0.name.components.dropFirst(outer.count).first.map { names.contains($0.lowercased()) }
                        == true
                }
            }
        }.first { !$0.isEmpty }
        if let named {
            layers = try Self.chained(named.inOrderOfNames, channels: channels)
        } else {
            let near = outer.lazy.map { outer in
                candidates.filter { $0.name.components.starts(with: outer) }
            }.first { !$0.isEmpty }
            do {
                layers = try Self.chained((near ?? []).inOrderOfNames, channels: channels)
            } catch {
                let isAmongThem = near?.contains { $0.name.components.starts(with: prefix) } == true
                guard prefix.isEmpty || isAmongThem else { return }
                throw error
            }
        }
        if let norm = all.all.first(where: {
            $0.kind == .batchNorm && $0.name.isOfClassifier && !$0.isAuxiliary
        }),
            !layers.isEmpty
        {
            throw NotVGGError("\(norm.fileName) is a batch norm in the classifier")
        }
    }

    /// torchvision's, and timm's.
    private static let names: [Set<String>] = [["classifier"], ["pre_logits", "head"]]

    /// The layers in the order in which each takes what the one before makes: that of their names, or if there is
    /// exactly one other, that.
    private static func chained(
        _ layers: [StoredLayer], channels: Int
    ) throws(NotVGGError) -> [StoredLayer] {
        var problem: NotVGGError?
        for (index, layer) in layers.enumerated() where problem == nil {
            problem =
                index == 0 ? layer.problem(after: channels) : layer.problem(afterFeatures: layers[index - 1])
        }
        guard let problem else { return layers }
        guard layers.count <= 8 else { throw problem }
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
    /// Whether the layer is a part of what helps a training and is not used afterwards.
    var isAuxiliary: Bool { name.components.contains { $0.lowercased().contains("aux") } }

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
