import VGGEngine
import VGGFiles
import VGGInference
import VGGModel

/// The weights that a training starts from. Where they tell apart other classes, by their number or their names, the
/// last linear layer starts anew; where their classifier has other hidden layers or another pool, or they have none, all
/// of it.
struct InitialWeights {
    private let path: String
    private let tensors: [String: Tensor]
    /// The parameters that start anew.
    private let anew: Set<String>
    /// The layer that starts anew; nil if none does.
    let newHead: NewHead?

    /// - Parameter own: what the network that is trained will say of itself, if it can.
    /// - Throws: `FileError` if the weights are of another network or not finite.
    init(_ model: TrainedModel, for network: Network, _ own: StoredModel?) throws {
        let tensors = try model.tensors(for: network)
        for tensor in tensors.values {
            try tensor.values.withUnsafeBufferPointer { try model.checkFinite($0) }
        }
        let layers = Self.layersAnew(model, tensors, network, own)
        newHead = layers.last.map { last in
            NewHead(
                layer: layers.count == 1 ? last.name : "classifier", classes: network.output.count,
                classesOfFile: model.stored?.model.classes ?? tensors["\(last.name).weight"]?.shape.first ?? 0
            )
        }
        let anew = Set(layers.flatMap(\.parameters).map(\.name))
        self.anew = anew
        self.tensors = tensors.filter { !anew.contains($0.key) }
        path = model.path
    }

    /// - Throws: `FileError` that names the tensor that does not fit.
    func load(into executor: Executor) throws(FileError) {
        do {
            try executor.load(tensors, keeping: anew)
        } catch {
            throw FileError(path, "\(error)")
        }
    }

    /// The linear layers that do not begin with the weights. Those that do not fit for any other reason than another
    /// classifier or other classes are not among them, and the weights are then refused.
    private static func layersAnew(
        _ model: TrainedModel, _ weights: [String: Tensor], _ network: Network, _ own: StoredModel?
    ) -> [PlacedLayer] {
        let linear = network.linearLayers
        let others = linear.filter { layer in
            layer.parameters.contains { weights[$0.name]?.shape != $0.shape }
        }
        if let theirs = model.stored?.model, let own = own?.model {
            if theirs.classes == 0 { return theirs.hiddenFeatures == own.hiddenFeatures ? others : linear }
            let readsOtherMaps = own.pool != theirs.pool && others.first?.name == linear.first?.name
            if own.hiddenFeatures != theirs.hiddenFeatures || readsOtherMaps { return linear }
        }
        let known = model.knownClassNames
        let isRenamed = known != nil && own?.labels != nil && known != own?.labels
        guard let head = network.head, let shape = weights["\(head.name).weight"]?.shape, shape.count == 2,
            shape[0] != network.output.count || isRenamed, shape[1] == head.input.count
        else { return [] }
        return [head]
    }
}
