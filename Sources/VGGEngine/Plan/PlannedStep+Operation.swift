import VGGModel

extension PlannedStep {
    /// What a step does, and with what. A layer becomes one in `steps(of:)` below, or a part of one.
    package enum Operation: Hashable, Sendable {
        /// With a batch norm before the ReLU, where there is one. With `pool`, a 2×2 max pool of stride 2 follows the ReLU:
        /// its input is never stored.
        case convolution(Convolution, norm: BatchNorm?, relu: Bool, pool: Bool)
        case batchNorm(BatchNorm, relu: Bool)
        case maxPool(Pool)
        /// The windows [begin, end) of every output row and column.
        case averagePool(rows: [Int], columns: [Int])
        case linear(Linear, relu: Bool)
        case relu
        case dropout(Double, layer: Int)
    }
}

extension PlannedStep.Operation {
    /// Whether it can read and write 16-bit activations.
    var canBeMixed: Bool {
        switch self {
        case .convolution, .linear, .maxPool, .dropout: true
        default: false
        }
    }

    /// Whether its output is that of a ReLU, which a pool may have chosen from.
    var endsInReLU: Bool {
        switch self {
        case .convolution(_, _, let relu, _), .batchNorm(_, let relu), .linear(_, let relu): relu
        case .relu: true
        default: false
        }
    }

    var makesVector: Bool {
        if case .linear = self { true } else { false }
    }
}

extension PlannedStep {
    private typealias Draft = (operation: Operation, layers: Range<Int>)

    /// The steps of a network. A convolution takes the batch norm and the ReLU after it, and the 2×2 max pool after that,
    /// into itself; batch norm and linear layers take the ReLU; flattening is a matter of how weights lie in
    /// memory and needs no step; inference needs no dropout. Nothing is taken past a layer of
    /// `kept`, whose output is then that of a step.
    /// - Parameter frozenLayers: so many of the first layers are not trained.
    static func steps(
        of network: Network, mode: Mode, precision: Precision, frozenLayers: Int, keeping kept: Set<Int>
    ) -> [PlannedStep] {
        let layers = network.layers
        var drafts: [Draft] = []
        var index = 0
        func take(_ layer: Layer) -> Bool {
            guard index < layers.count, layers[index].layer == layer, !kept.contains(index - 1) else {
                return false
            }
            index += 1
            return true
        }
        while index < layers.count {
            let start = index
            let placed = layers[index]
            index += 1
            let operation: Operation
            switch placed.layer {
            case .flatten: continue
            case .dropout(let probability):
                if mode != .training || start < frozenLayers || probability == 0 { continue }
                operation = .dropout(probability, layer: start)
            case .convolution(let convolution):
                var norm: BatchNorm?
                // What is frozen and what is trained are steps of their own.
                if index < layers.count, case .batchNorm(let next) = layers[index].layer,
                    (start < frozenLayers) == (index < frozenLayers), take(.batchNorm(next))
                {
                    norm = next
                }
                let relu = take(.relu)
                let canPool = relu && placed.output.dimensions.dropFirst().allSatisfy { $0 >= 2 }
                operation = .convolution(
                    convolution, norm: norm, relu: relu,
                    pool: canPool && take(.maxPool(Pool(window: 2, stride: 2))))
            case .batchNorm(let norm): operation = .batchNorm(norm, relu: take(.relu))
            case .linear(let linear): operation = .linear(linear, relu: take(.relu))
            case .relu: operation = .relu
            case .maxPool(let pool): operation = .maxPool(pool)
            case .averagePool(let pool):
                let output = Activation(placed.output)
                let window = { [$0 * pool.stride, $0 * pool.stride + pool.window] }
                operation = .averagePool(
                    rows: (0..<output.height).flatMap(window), columns: (0..<output.width).flatMap(window))
            case .adaptiveAveragePool(let height, let width):
                let input = Activation(placed.input)
                operation = .averagePool(
                    rows: adaptiveWindows(from: input.height, to: height),
                    columns: adaptiveWindows(from: input.width, to: width))
            }
            drafts.append((operation, start..<index))
        }
        return connect(drafts, network: network, precision: precision, needsInput: mode == .inputGradient) {
            layers in layers.lowerBound < frozenLayers ? .inference : mode
        }
    }

    /// PyTorch's windows of an adaptive pool: output i averages ⌊i·n/m⌋ ..< ⌈(i+1)·n/m⌉.
    private static func adaptiveWindows(from extent: Int, to count: Int) -> [Int] {
        (0..<count).flatMap { index -> [Int] in
            let begin = index * extent / count
            let end = ((index + 1) * extent + count - 1) / count
            return [begin, end]
        }
    }

    /// Gives each step its input and output, and the number formats between them.
    /// - Parameter needsInput: whether the gradient of the network's input is wanted.
    private static func connect(
        _ drafts: [Draft], network: Network, precision: Precision, needsInput: Bool,
        mode: (Range<Int>) -> Mode
    ) -> [PlannedStep] {
        var steps: [PlannedStep] = []
        var parameter = 0
        var needsInput = needsInput
        // An activation is kept in 16 bits where both steps beside it work in them; the input has no step
        // before it, and the logits have none after them.
        func element(before index: Int) -> Element {
            let isMixed =
                precision == .bf16 && index < drafts.count && drafts[index].operation.canBeMixed
                && (index == 0 || drafts[index - 1].operation.canBeMixed)
            return isMixed ? .bfloat16 : .float32
        }
        var input = Activation(network.input, element(before: 0))
        for (index, draft) in drafts.enumerated() {
            var shape = network.layers[draft.layers.upperBound - 1].output
            // A flattened map keeps its shape until a linear layer makes a true vector of it.
            if case .vector = shape, !draft.operation.makesVector {
                shape = .map(channels: input.channels, height: input.height, width: input.width)
            }
            let output = Activation(shape, element(before: index + 1))
            let mode = mode(draft.layers)
            let tensors = network.layers[draft.layers].map(\.parameters.count).reduce(0, +)
            steps.append(
                PlannedStep(
                    operation: draft.operation, layers: draft.layers, input: input, output: output,
                    precision: precision, parameters: parameter..<parameter + tensors,
                    needsInputGradient: needsInput, mode: mode))
            parameter += tensors
            if tensors > 0, mode == .training { needsInput = true }
            input = output
        }
        return steps
    }
}
