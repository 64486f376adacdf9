import VGGModel

/// The graph of an ONNX model: a chain of nodes, and the tensors they read besides the chain's.
struct ONNXGraph {
    private let network: Network
    private var nodes: [ONNXNode] = []
    private var initializers: [(name: String, tensor: Tensor)] = []

    private static let input = "input"
    /// What the last node makes.
    private var output: String { network.head == nil ? "features" : "logits" }

    init(_ network: Network, tensors: [String: Tensor]) throws(ONNXError) {
        self.network = network
        for layer in network.layers {
            for parameter in layer.parameters {
                guard let tensor = tensors[parameter.name] else { throw .missing(tensor: parameter.name) }
                guard tensor.shape == parameter.shape else {
                    throw .shape(tensor: parameter.name, expected: parameter.shape, found: tensor.shape)
                }
                initializers.append((parameter.name, tensor))
            }
            append(layer)
        }
    }

    private mutating func append(_ layer: PlacedLayer) {
        if case .adaptiveAveragePool = layer.layer {
            appendAdaptivePool(layer.name, from: layer.input.dimensions, to: layer.output.dimensions)
        } else if let onnx = layer.layer.description.onnx {
            nodes.append(
                ONNXNode(onnx.name, layer.name, reading: layer.parameters.map(\.name), onnx.attributes))
        }
    }

    /// ONNX has no adaptive pool. Where all its windows are alike it is an average pool (nothing at all where
    /// they are single pixels); else a product with a matrix of averages for either direction.
    private mutating func appendAdaptivePool(_ name: String, from input: [Int], to output: [Int]) {
        let (height, width) = (input[1], input[2])
        let (rows, columns) = (output[1], output[2])
        guard height % rows != 0 || width % columns != 0 else {
            let window = [height / rows, width / columns]
            if window != [1, 1] {
                nodes.append(
                    ONNXNode(
                        "AveragePool", name,
                        ["kernel_shape": .integers(window), "strides": .integers(window)]))
            }
            return
        }
        let horizontal = Self.averages(from: width, to: columns)
        var transposed = Tensor(zeros: [width, columns])
        for column in 0..<columns {
            for x in 0..<width {
                transposed.values[x * columns + column] = horizontal.values[column * width + x]
            }
        }
        initializers.append(("\(name).columns", transposed))
        initializers.append(("\(name).rows", Self.averages(from: height, to: rows)))
        nodes.append(ONNXNode("MatMul", "\(name).horizontal", reading: ["\(name).columns"]))
        nodes.append(
            ONNXNode("MatMul", "\(name).vertical", reading: ["\(name).rows"], readsChainLast: true))
    }

    /// The matrix [output, input] that averages over PyTorch's windows: window i begins at ⌊i·input/output⌋ and
    /// ends before ⌈(i+1)·input/output⌉.
    private static func averages(from input: Int, to output: Int) -> Tensor {
        var matrix = Tensor(zeros: [output, input])
        for index in 0..<output {
            let window = index * input / output..<((index + 1) * input + output - 1) / output
            for place in window { matrix.values[index * input + place] = 1 / Float(window.count) }
        }
        return matrix
    }

    // MARK: - Encoding

    /// The `GraphProto`.
    var message: ProtobufMessage {
        var graph = ProtobufMessage()
        var current = Self.input
        for (index, node) in nodes.enumerated() {
            let output = index == nodes.count - 1 ? self.output : node.name
            graph.add(1, node.message(input: current, output: output))
            current = output
        }
        graph.add(2, "vgg")
        for (name, tensor) in initializers { graph.add(5, Self.message(name, tensor)) }
        graph.add(11, Self.message(Self.input, network.input))
        graph.add(12, Self.message(current, network.output))
        return graph
    }

    /// A `TensorProto`.
    private static func message(_ name: String, _ tensor: Tensor) -> ProtobufMessage {
        var message = ProtobufMessage()
        for dimension in tensor.shape { message.add(1, dimension) }
        message.add(2, floatType)
        message.add(8, name)
        message.add(9, tensor.values)
        return message
    }

    /// A `ValueInfoProto`: a batch of `shape`.
    private static func message(_ name: String, _ shape: Shape) -> ProtobufMessage {
        var batch = ProtobufMessage()
        batch.add(2, "batch")
        var dimensions = ProtobufMessage()
        dimensions.add(1, batch)
        for extent in shape.dimensions {
            var dimension = ProtobufMessage()
            dimension.add(1, extent)
            dimensions.add(1, dimension)
        }
        var tensor = ProtobufMessage()
        tensor.add(1, floatType)
        tensor.add(2, dimensions)
        var type = ProtobufMessage()
        type.add(1, tensor)
        var message = ProtobufMessage()
        message.add(1, name)
        message.add(2, type)
        return message
    }

    /// `TensorProto.DataType.FLOAT`
    private static let floatType = 1
}

/// One operator of a graph; its first input is the chain's, the others are initialisers.
struct ONNXNode {
    typealias Attribute = LayerDescription.ONNXOperator.Attribute

    var operation: String
    /// The layer's; what the node writes has the same name.
    var name: String
    var tensors: [String]
    var attributes: KeyValuePairs<String, Attribute>
    /// Whether the chain is the last input rather than the first.
    var readsChainLast: Bool

    init(
        _ operation: String, _ name: String, reading tensors: [String] = [],
        _ attributes: KeyValuePairs<String, Attribute> = [:], readsChainLast: Bool = false
    ) {
        self.operation = operation
        self.name = name
        self.tensors = tensors
        self.attributes = attributes
        self.readsChainLast = readsChainLast
    }

    /// The `NodeProto`.
    func message(input: String, output: String) -> ProtobufMessage {
        var node = ProtobufMessage()
        for name in readsChainLast ? tensors + [input] : [input] + tensors { node.add(1, name) }
        node.add(2, output)
        node.add(3, name)
        node.add(4, operation)
        for (name, attribute) in attributes {
            var message = ProtobufMessage()
            message.add(1, name)
            // The value, and its type by `AttributeProto.AttributeType`.
            switch attribute {
            case .float(let value):
                message.add(2, value)
                message.add(20, 1)
            case .integer(let value):
                message.add(3, value)
                message.add(20, 2)
            case .integers(let values):
                for value in values { message.add(8, value) }
                message.add(20, 7)
            }
            node.add(5, message)
        }
        return node
    }
}
