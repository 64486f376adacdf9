import VGGModel

/// A step of a plan: one or more layers that run as one, from one activation to the next.
struct PlannedStep: Hashable, Sendable {
    enum Operation: Hashable, Sendable {
        /// With `pool`, a 2×2 max pool of stride 2 follows the ReLU: the full map is never stored.
        case convolution(Convolution, relu: Bool, pool: Bool)
        case batchNorm(BatchNorm, relu: Bool)
        case maxPool(Pool)
        /// The windows [begin, end) of every output row and column.
        case averagePool(rows: [Int], columns: [Int])
        case linear(Linear, relu: Bool)
        case relu
        case dropout(Double, layer: Int)
    }

    let operation: Operation
    /// The layers of the network that run in this step.
    let layers: Range<Int>
    let input: ActivationLayout
    let output: ActivationLayout
    let precision: Precision
    /// The index of the step's first tensor in `network.parameters`.
    let firstParameter: Int
    /// Whether anything before the step is trained.
    let needsInputGradient: Bool
    /// What the step is for; the frozen ones of a training are for inference.
    let mode: Mode
}

extension PlannedStep {
    /// The steps of a network. A convolution takes the ReLU after it, and the 2×2 max pool after that, into
    /// itself; batch norm and linear layers take the ReLU; flattening is a matter of how weights lie in
    /// memory (`ParameterLayout`) and needs no step; inference needs no dropout. Nothing is taken past a layer of
    /// `kept`, whose output is then that of a step.
    /// - Parameter frozenLayers: so many of the first layers are not trained.
    static func steps(
        of network: Network, mode: Mode, precision: Precision, frozenLayers: Int, keeping kept: Set<Int>
    ) -> [PlannedStep] {
        let layers = network.layers
        var drafts: [(operation: Operation, layers: Range<Int>)] = []
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
                if mode == .inference || start < frozenLayers || probability == 0 { continue }
                operation = .dropout(probability, layer: start)
            case .convolution(let convolution):
                let relu = take(.relu)
                let canPool = relu && placed.output.dimensions.dropFirst().allSatisfy { $0 >= 2 }
                operation = .convolution(
                    convolution, relu: relu, pool: canPool && take(.maxPool(Pool(window: 2, stride: 2))))
            case .batchNorm(let norm): operation = .batchNorm(norm, relu: take(.relu))
            case .linear(let linear): operation = .linear(linear, relu: take(.relu))
            case .relu: operation = .relu
            case .maxPool(let pool): operation = .maxPool(pool)
            case .averagePool(let pool):
                let output = ActivationLayout(placed.output)
                let window = { [$0 * pool.stride, $0 * pool.stride + pool.window] }
                operation = .averagePool(
                    rows: (0..<output.height).flatMap(window), columns: (0..<output.width).flatMap(window))
            case .adaptiveAveragePool(let height, let width):
                let input = ActivationLayout(placed.input)
                operation = .averagePool(
                    rows: adaptiveWindows(from: input.height, to: height),
                    columns: adaptiveWindows(from: input.width, to: width))
            }
            drafts.append((operation, start..<index))
        }
        return place(drafts, network: network, precision: precision) { layers in
            layers.lowerBound < frozenLayers ? .inference : mode
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

    /// Gives each step its layouts: an activation has the border that the step reading it pads with.
    private static func place(
        _ drafts: [(operation: Operation, layers: Range<Int>)], network: Network, precision: Precision,
        mode: (Range<Int>) -> Mode
    ) -> [PlannedStep] {
        var steps: [PlannedStep] = []
        var parameter = 0
        var isTrained = false
        func border(before index: Int) -> Int {
            guard index < drafts.count, case .convolution(let convolution, _, _) = drafts[index].operation
            else { return 0 }
            return convolution.padding
        }
        // An activation is kept in 16 bits where both steps beside it work in them; the input has no step
        // before it, and the logits have none after them.
        func element(before index: Int) -> Element {
            let isMixed =
                precision == .bf16 && index < drafts.count && drafts[index].operation.canBeMixed
                && (index == 0 || drafts[index - 1].operation.canBeMixed)
            return isMixed ? .bfloat16 : .float32
        }
        var input = ActivationLayout(network.input, border: border(before: 0))
        input.element = element(before: 0)
        for (index, draft) in drafts.enumerated() {
            var shape = network.layers[draft.layers.upperBound - 1].output
            // A flattened map keeps its layout until a linear layer makes a true vector of it.
            if case .vector = shape, !draft.operation.makesVector {
                shape = .map(channels: input.channels, height: input.height, width: input.width)
            }
            var output = ActivationLayout(shape, border: border(before: index + 1))
            output.element = element(before: index + 1)
            let mode = mode(draft.layers)
            steps.append(
                PlannedStep(
                    operation: draft.operation, layers: draft.layers, input: input, output: output,
                    precision: precision, firstParameter: parameter, needsInputGradient: isTrained,
                    mode: mode))
            let tensors = steps[index].parameterLayouts.count
            parameter += tensors
            if tensors > 0, mode == .training { isTrained = true }
            input = output
        }
        return steps
    }

    /// How each of the step's tensors lies in memory, in the order of `network.parameters`.
    var parameterLayouts: [ParameterLayout] {
        switch operation {
        case .convolution(let layer, _, _):
            [
                .panels(
                    out: layer.outChannels, in: layer.inChannels, height: layer.kernel, width: layer.kernel),
                .vector(layer.outChannels),
            ]
        case .linear(let layer, _):
            [
                .panels(out: layer.outFeatures, in: input.channels, height: input.height, width: input.width),
                .vector(layer.outFeatures),
            ]
        case .batchNorm(let layer, _): Array(repeating: .vector(layer.channels), count: 4)
        default: []
        }
    }
}

extension PlannedStep.Operation {
    /// Whether the operation can read and write 16-bit activations.
    fileprivate var canBeMixed: Bool {
        switch self {
        case .convolution, .linear, .dropout: true
        case .batchNorm, .maxPool, .averagePool, .relu: false
        }
    }

    fileprivate var makesVector: Bool {
        if case .linear = self { true } else { false }
    }
}
