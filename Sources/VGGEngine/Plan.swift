import VGGModel

/// Why a network cannot be planned.
public enum PlanError: Error, Hashable, CustomStringConvertible {
    case noBatch(Int)
    case noClassifier(output: Shape)

    public var description: String {
        switch self {
        case .noBatch(let size): "the batch size must be positive, not \(size)"
        case .noClassifier(let output):
            "the network must end in a linear layer that makes one number a class; it ends in \(output)"
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
    let steps: [PlannedStep]

    /// - Throws: `PlanError` if `batchSize` is not positive, or the network does not end in a linear layer.
    public init(
        _ network: Network, batchSize: Int, mode: Mode, precision: Precision = .fp32
    ) throws(PlanError) {
        guard batchSize > 0 else { throw .noBatch(batchSize) }
        steps = PlannedStep.steps(of: network, mode: mode)
        guard case .linear? = steps.last?.operation else { throw .noClassifier(output: network.output) }
        self.network = network
        self.batchSize = batchSize
        self.mode = mode
        self.precision = precision
    }

    /// Images are dealt out to this many shards, each with a weight gradient of its own, which are then added
    /// in order: a number that depends on no thread.
    static func shards(of count: Int) -> Int { min(count, 8) }

    /// Images of shard `index` of `shards` in a batch of `count`.
    static func images(ofShard index: Int, of shards: Int, count: Int) -> Range<Int> {
        count * index / shards..<count * (index + 1) / shards
    }

    /// Where each activation (the input first, then every step's output) starts, in floats, and their sum.
    /// In inference only a step's input and output live at once: two regions take turns.
    var activationOffsets: (offsets: [Int], total: Int) {
        let sizes = ([steps[0].input] + steps.map(\.output)).map { $0.imageStride * batchSize + slack }
        switch mode {
        case .training:
            var total = 0
            let offsets = sizes.map { size in
                defer { total += size.roundedUp(to: 16) }
                return total
            }
            return (offsets, total)
        case .inference:
            let even = stride(from: 0, to: sizes.count, by: 2).map { sizes[$0] }.max() ?? 0
            let odd = stride(from: 1, to: sizes.count, by: 2).map { sizes[$0] }.max() ?? 0
            let second = even.roundedUp(to: 16)
            return (sizes.indices.map { $0 % 2 == 0 ? 0 : second }, second + odd)
        }
    }

    /// Floats of the largest gradient of an activation; two such buffers take turns in the backward pass.
    var gradientCount: Int {
        mode == .inference ? 0 : (steps.map(\.output.count).max() ?? 0) * batchSize + slack
    }
}

/// Floats that kernels may read past the end of a buffer.
let slack = 64

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
        let scratch = steps.map { StepScratch(for: $0, plan: self) }
        return PlanMemory(
            parameters: sizes.total * float,
            gradients: training ? sizes.updatedAfterwards * float : 0,
            optimizerState: training && (optimizer?.momentum ?? 0) != 0 ? sizes.trained * float : 0,
            activations: (activationOffsets.total + 2 * gradientCount) * float
                + (training ? steps.map(\.winnerBytes).reduce(0, +) * batchSize : 0),
            scratch: ((scratch.map(\.shared).max() ?? 0)
                + (scratch.map(\.worker).max() ?? 0) * threads) * float)
    }
}

extension PlannedStep {
    /// Bytes an image's max pool remembers for the backward pass.
    var winnerBytes: Int {
        switch operation {
        case .convolution(_, _, pool: true): output.count
        case .maxPool: output.count * MemoryLayout<UInt16>.stride
        default: 0
        }
    }
}
