/// A piece of a network: one layer, or several in a row that belong together, such as a VGG block.
public enum Block: Hashable, Sendable {
    /// One layer.
    case single(Layer)
    /// Several that are one line where a network is printed.
    case sequential([Layer])

    /// In the order in which they run.
    public var layers: [Layer] {
        switch self {
        case .single(let layer): [layer]
        case .sequential(let layers): layers
        }
    }

    /// The class name PyTorch prints for the block: `Sequential`, or the single layer's.
    public var className: String {
        switch self {
        case .single(let layer): layer.className
        case .sequential: "Sequential"
        }
    }
}

/// A layer in its place in a network.
public struct PlacedLayer: Hashable, Sendable {
    /// torchvision's name: `features.N` before the classifier, `avgpool`, `flatten`, `classifier.N`.
    public let name: String
    /// What it is.
    public let layer: Layer
    /// The index of the block the layer belongs to.
    public let block: Int
    /// What it takes, of one example.
    public let input: Shape
    /// What it makes, of one example.
    public let output: Shape

    /// Trained numbers in the layer.
    public var parameterCount: Int {
        parameters.filter(\.isTrained).map { $0.shape.reduce(1, *) }.reduce(0, +)
    }

    /// Multiply-accumulates per example.
    public var multiplyAccumulates: Int { layer.multiplyAccumulates(output: output) }

    /// The layer's stored tensors, under torchvision's names.
    public var parameters: [ParameterDescription] {
        layer.description.tensors.map {
            ParameterDescription(name: "\(name).\($0.name)", shape: $0.shape, isTrained: $0.isTrained)
        }
    }
}

/// A tensor that belongs to a network: what a weight file must hold.
public struct ParameterDescription: Hashable, Sendable {
    /// torchvision's name, such as `features.0.weight`.
    public let name: String
    /// PyTorch's: the outputs first, then the inputs, then height and width.
    public let shape: [Int]
    /// False for batch norm's running statistics.
    public let isTrained: Bool
}

/// A chain of blocks for inputs of one shape, checked when made: every layer fits the one before.
public struct Network: Hashable, Sendable {
    /// What the first layer takes, of one example.
    public let input: Shape
    /// What it was made of.
    public let blocks: [Block]
    /// All layers in their places, in the order in which they run.
    public let layers: [PlacedLayer]

    /// - Throws: `ModelError` if a layer does not fit the one before, or the input is too small.
    public init(input: Shape, blocks: [Block]) throws(ModelError) {
        var layers: [PlacedLayer] = []
        var shape = input
        var featureIndex = 0
        var classifierIndex = 0
        var dropoutIndex = 0
        for (blockIndex, block) in blocks.enumerated() {
            for layer in block.layers {
                let name: String
                switch (layer, shape) {
                case (.flatten, _): name = "flatten"
                case (.adaptiveAveragePool, _): name = "avgpool"
                // torchvision's numbers of the layers around it leave no place for it.
                case (.dropout, .map):
                    name = "dropout.\(dropoutIndex)"
                    dropoutIndex += 1
                case (_, .map):
                    name = "features.\(featureIndex)"
                    featureIndex += 1
                case (_, .vector):
                    name = "classifier.\(classifierIndex)"
                    classifierIndex += 1
                }
                let output: Shape
                do {
                    output = try layer.output(for: shape)
                } catch {
                    switch error {
                    case .invalid(let reason):
                        throw ModelError.invalidLayer(name: name, layer: layer.className, reason: reason)
                    case .shrunkToNothing(let extent, let window):
                        throw ModelError.inputTooSmall(
                            input: input, block: blockIndex + 1, layer: layer.className, extent: extent,
                            window: window)
                    }
                }
                layers.append(
                    PlacedLayer(name: name, layer: layer, block: blockIndex, input: shape, output: output))
                shape = output
            }
        }
        self.input = input
        self.blocks = blocks
        self.layers = layers
    }

    /// What the last layer makes, of one example.
    public var output: Shape { layers.last?.output ?? input }

    /// Trained numbers in the whole network.
    public var parameterCount: Int { layers.map(\.parameterCount).reduce(0, +) }

    /// Multiply-accumulates per example, forward.
    public var multiplyAccumulates: Int { layers.map(\.multiplyAccumulates).reduce(0, +) }

    /// Every stored tensor in the network's order, under torchvision's name.
    public var parameters: [ParameterDescription] { layers.flatMap(\.parameters) }
}
