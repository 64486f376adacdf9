import VGGModel

/// What a plan is for.
public enum Mode: Sendable {
    /// The gradients of the parameters.
    case training
    /// The output: no more is kept than the next step needs.
    case inference
    /// The gradient of the input, and of the layers between, with respect to what is made of kept layers.
    /// Parameters stay as they are and have no gradients, dropout does nothing, and batch norms have to be folded into the
    /// convolutions before them (`Network.foldingBatchNorm`). Of linear layers in single precision alone.
    case inputGradient

    /// Whether a backward pass reads what the forward pass has made.
    package var hasBackward: Bool { self != .inference }
}

/// The number format of activations and of the weights that kernels read.
public enum Precision: String, Codable, CaseIterable, Sendable {
    /// Single precision: everything has 32 bits.
    case fp32
    /// Mixed precision: bfloat16 activations and copies of weights; 32-bit weights, sums, loss and optimiser.
    case bf16
}

/// What will run, on whatever device: the fused steps of a network, the number formats between them, which
/// parameters are trained, and whose outputs are kept. How it runs, a device's `Backend` decides.
public struct Plan: Sendable {
    /// What is run.
    public let network: Network
    /// The most images that are run at once.
    public let batchSize: Int
    /// What for.
    public let mode: Mode
    /// In which numbers.
    public let precision: Precision
    /// The layers whose outputs `Executor.features` returns: indices of `network.layers`.
    public let keptLayers: Set<Int>
    /// So many of the first layers stay as they are while the rest is trained: they run as in inference, batch
    /// norm by its running statistics, and need neither gradients nor memory for them.
    public let frozenLayers: Int
    package let steps: [PlannedStep]
    /// In the order of `network.parameters`.
    package let parameters: [PlannedParameter]

    /// The largest batch that a plan is made for.
    public static let largestBatch = 65536

    /// - Parameters:
    ///   - frozenLayers: of `network.layers`; a ReLU or pool that is fused into the layer before it goes with it.
    ///     Inference trains nothing and has no use for it.
    ///   - keptLayers: layers whose outputs are wanted, as indices of `network.layers`.
    /// - Throws: `PlanError` if `batchSize` is out of range, a batch is larger than any memory, the network does not end
    ///   in a linear layer (which it need not for what follows from kept layers), all of it is frozen, or has a batch norm
    ///   where the input's gradient is wanted, or, in mixed precision, reflected borders, or linear layers where it is
    ///   wanted.
    public init(
        _ network: Network, batchSize: Int, mode: Mode, precision: Precision = .fp32, frozenLayers: Int = 0,
        keeping keptLayers: Set<Int> = []
    ) throws(PlanError) {
        precondition(keptLayers.allSatisfy(network.layers.indices.contains), "the network has no such layer")
        guard (1...Self.largestBatch).contains(batchSize) else { throw .batchSize(batchSize) }
        // More than any machine holds, though sums of it in bytes are still numbers.
        let numbers = network.layers.reduce(0) { $0 + $1.output.count }
        guard numbers <= (1 << 56) / batchSize else { throw .outOfMemory(bytes: .max / 2) }
        steps = PlannedStep.steps(
            of: network, mode: mode, precision: precision, frozenLayers: frozenLayers, keeping: keptLayers)
        guard network.head != nil || (mode != .training && !keptLayers.isEmpty) else {
            throw .noClassifier(output: network.output)
        }
        guard mode != .training || steps.last?.mode == .training else {
            throw .nothingToTrain
        }
        guard mode != .inputGradient || !network.hasBatchNorm() else { throw .batchNormInGradient }
        guard mode != .inputGradient || precision == .fp32 || network.linearLayers.isEmpty else {
            throw .linearInMixedGradient
        }
        guard !network.hasReflectedBorders || precision == .fp32 else { throw .reflectedBorders }
        parameters = PlannedParameter.parameters(of: network, steps)
        self.network = network
        self.batchSize = batchSize
        self.mode = mode
        self.precision = precision
        self.keptLayers = keptLayers
        self.frozenLayers = frozenLayers
    }

    /// Numbers that are trained.
    public var trainedParameterCount: Int {
        mode == .training ? network.layers.dropFirst(frozenLayers).map(\.parameterCount).reduce(0, +) : 0
    }

    /// How many of a training's first steps are frozen: the backward pass ends before them.
    package var frozenSteps: Int {
        mode == .training ? steps.prefix { $0.mode == .inference }.count : 0
    }

    /// The step whose output is that of the layer. A layer without a step of its own (flatten, and in inference
    /// dropout) passes on the output of the step before.
    func step(of layer: Int) -> Int? { steps.lastIndex { $0.layers.lowerBound <= layer } }

    /// The same plan for batches of another size.
    func resized(to batchSize: Int) throws(PlanError) -> Plan {
        try Plan(
            network, batchSize: batchSize, mode: mode, precision: precision, frozenLayers: frozenLayers,
            keeping: keptLayers)
    }
}
