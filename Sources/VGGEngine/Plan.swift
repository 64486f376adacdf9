import CVGGKernels
import VGGModel

/// Why a network cannot be planned.
public enum PlanError: Error, Hashable, CustomStringConvertible {
    case batchSize(Int)
    /// So many bytes could not be reserved.
    case outOfMemory(bytes: Int)
    /// More bytes than are free; `largestBatch` would fit, if there is one.
    case tooLarge(batchSize: Int, bytes: Int, free: Int, largestBatch: Int?)
    case noClassifier(output: Shape)
    /// All that has weights is frozen.
    case nothingToTrain

    public var description: String {
        switch self {
        case .batchSize(let size):
            "the batch size must be between 1 and \(Plan.largestBatch), not \(size)"
        case .outOfMemory(let bytes):
            """
            the memory of a plan, \((bytes + 999_999) / 1_000_000) MB, cannot be reserved; use a \
            smaller batch size or smaller images
            """
        case .tooLarge(let batchSize, let bytes, let free, let largestBatch):
            """
            \(batchSize == 1 ? "one image at a time takes" : "batches of \(batchSize) images take") \
            \((bytes + 999_999) / 1_000_000) MB of memory, but \(free / 1_000_000) MB are free; \
            \(largestBatch.map { "use a batch size of at most \($0)" }
                ?? "not even one image at a time fits: use smaller images or a smaller network")
            """
        case .noClassifier(let output):
            "the network must end in a linear layer that makes one number a class; it ends in \(output)"
        case .nothingToTrain: "all of the network is frozen: nothing is left to train"
        }
    }
}

/// How a network will run: its fused steps, the layouts of its activations and the memory it takes.
public struct Plan: Sendable {
    public let network: Network
    /// The most images that are run at once.
    public let batchSize: Int
    public let mode: Mode
    public let precision: Precision
    /// The layers whose outputs `Executor.features` returns: indices of `network.layers`.
    public let keptLayers: Set<Int>
    /// So many of the first layers stay as they are while the rest is trained: they run as in inference, batch
    /// norm by its running statistics, and need neither gradients nor memory for them.
    public let frozenLayers: Int
    let steps: [PlannedStep]

    /// The largest batch that a plan is made for: no count of bytes overflows up to it.
    public static let largestBatch = 65536

    /// - Parameters:
    ///   - frozenLayers: of `network.layers`; a ReLU or pool that is fused into the layer before it goes with it.
    ///     Inference trains nothing and has no use for it.
    ///   - keptLayers: layers whose outputs are wanted, as indices of `network.layers`.
    /// - Throws: `PlanError` if `batchSize` is out of range, the network does not end in a linear layer (which it need
    ///   not for the features of kept layers), or all of it is frozen.
    public init(
        _ network: Network, batchSize: Int, mode: Mode, precision: Precision = .fp32, frozenLayers: Int = 0,
        keeping keptLayers: Set<Int> = []
    ) throws(PlanError) {
        precondition(keptLayers.allSatisfy(network.layers.indices.contains), "the network has no such layer")
        guard (1...Self.largestBatch).contains(batchSize) else { throw .batchSize(batchSize) }
        steps = PlannedStep.steps(
            of: network, mode: mode, precision: precision, frozenLayers: frozenLayers, keeping: keptLayers)
        guard network.head != nil || (mode == .inference && !keptLayers.isEmpty) else {
            throw .noClassifier(output: network.output)
        }
        guard mode == .inference || steps.last?.mode == .training else {
            throw .nothingToTrain
        }
        self.network = network
        self.batchSize = batchSize
        self.mode = mode
        self.precision = precision
        self.keptLayers = keptLayers
        self.frozenLayers = frozenLayers
    }

    /// Numbers that are trained.
    public var trainedParameterCount: Int {
        mode == .inference ? 0 : network.layers.dropFirst(frozenLayers).map(\.parameterCount).reduce(0, +)
    }

    /// How many of a training's first steps are frozen: the backward pass ends before them.
    var frozenSteps: Int { mode == .training ? steps.prefix { $0.mode == .inference }.count : 0 }

    /// Images are dealt out to this many shards, each with a weight gradient of its own, which are then added
    /// in order: a number that depends on no thread.
    static func shards(of count: Int) -> Int { min(count, 8) }

    /// Images of shard `index` of `shards` in a batch of `count`.
    static func images(ofShard index: Int, of shards: Int, count: Int) -> Range<Int> {
        count * index / shards..<count * (index + 1) / shards
    }

    /// Where each activation (the input first, then every step's output) starts, in bytes, and their sum. In
    /// inference, and before the first step that is trained, only a step's input and output live at once.
    var activationOffsets: (offsets: [Int], total: Int) {
        let sizes = activations.map { ($0.imageStride * batchSize + slack) * $0.element.size }
        switch mode {
        case .training:
            let frozen = Self.takingTurns(Array(sizes.prefix(frozenSteps)))
            var total = frozen.total
            let offsets = sizes.dropFirst(frozenSteps).map { size in
                defer { total += size.roundedUp(to: 64) }
                return total
            }
            return (frozen.offsets + offsets, total)
        case .inference: return Self.takingTurns(sizes)
        }
    }

    /// The same for the activations' gradients, of which two live at once; nobody needs the input's, nor that of
    /// what frozen steps make.
    var gradientOffsets: (offsets: [Int], total: Int) {
        guard mode == .training else { return ([], 0) }
        let sizes = activations.enumerated().map { index, layout in
            index <= frozenSteps ? 0 : (layout.gradientStride * batchSize + slack) * layout.element.size
        }
        return Self.takingTurns(sizes)
    }

    /// The input and every step's output.
    private var activations: [ActivationLayout] { [steps[0].input] + steps.map(\.output) }

    /// Two regions take turns, each as large as the largest that it holds.
    private static func takingTurns(_ sizes: [Int]) -> (offsets: [Int], total: Int) {
        let regions = (0..<2).map { turn in
            (sizes.indices.filter { $0 % 2 == turn }.map { sizes[$0] }.max() ?? 0).roundedUp(to: 64)
        }
        return (sizes.indices.map { $0 % 2 == 0 ? 0 : regions[0] }, regions[0] + regions[1])
    }
}

/// Numbers that kernels may read past the end of a buffer.
let slack = VGG_SLACK

/// The memory a plan takes, in bytes.
public struct PlanMemory: Hashable, Sendable, Codable {
    public var parameters: Int
    /// Of the parameters that are not updated as soon as their gradients are made.
    public var gradients: Int
    public var optimizerState: Int
    /// Of the batch, with the gradients that are passed back and what pools remember.
    public var activations: Int
    /// What kernels need while they run.
    public var scratch: Int

    public var total: Int { parameters + gradients + optimizerState + activations + scratch }
}

extension Plan {
    /// The memory the plan will take with an optimiser (nil for inference) and a number of threads.
    public func memory(optimizer: SGD?, threads: Int = Device.best.threads) -> PlanMemory {
        let float = MemoryLayout<Float>.stride
        let sizes = ParameterMap(steps: steps)
        let training = mode == .training
        let scratch = StepScratch.most(of: self)
        return PlanMemory(
            parameters: sizes.total * float,
            gradients: training ? sizes.updatedAfterwards * float : 0,
            optimizerState: training && (optimizer?.momentum ?? 0) != 0 ? sizes.trained * float : 0,
            activations: activationOffsets.total + gradientOffsets.total
                + steps.map(\.winnerBytes).reduce(0, +) * batchSize,
            scratch: scratch.shared + scratch.worker * threads + scratch.kept)
    }
}

extension PlannedStep {
    /// Bytes an image's max pool remembers for the backward pass; none in inference.
    var winnerBytes: Int {
        guard mode == .training else { return 0 }
        return switch operation {
        case .convolution(_, _, pool: true): output.count
        case .maxPool: output.count * MemoryLayout<UInt16>.stride
        default: 0
        }
    }
}
