import CVGGKernels
import Foundation

/// Where a network runs.
public enum Device: Hashable, Sendable, CustomStringConvertible {
    /// The processor, with this many threads. Results do not depend on the number.
    case cpu(threads: Int)

    /// The best device of this machine, in the manner of the seed's `try_gpu`: the CPU with every processor that the
    /// program may use.
    public static var best: Device { .cpu(threads: FreeProcessors.count) }

    public var threads: Int {
        switch self {
        case .cpu(let threads): threads
        }
    }

    public var description: String { "cpu" }
}

/// The instruction sets that kernels exist for, in rising order.
public enum InstructionSet: Int, CaseIterable, Comparable, Sendable {
    case portable, avx2, avx512, avx512bf16

    /// The name of the environment variable that may lower, never raise, the choice: `portable`, `avx2`
    /// or `avx512`.
    public static let environmentVariable = "VGG_MAX_ISA"

    /// The best one of this processor, or what the environment variable lowers it to.
    public static let best: InstructionSet = {
        let wished = ProcessInfo.processInfo.environment[environmentVariable]
        let limit = allCases.first { "\($0)" == wished } ?? .avx512bf16
        return min(available, limit)
    }()

    /// The best one of this processor.
    static var available: InstructionSet {
        InstructionSet(rawValue: Int(vgg_best_instruction_set().rawValue)) ?? .portable
    }

    /// Every one that this processor can run.
    package static var allAvailable: [InstructionSet] { allCases.filter { $0 <= available } }

    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.rawValue < right.rawValue
    }

    var kernels: vgg_kernels {
        vgg_kernels_for(vgg_instruction_set(rawValue: UInt32(rawValue))).pointee
    }

    /// The kernels of mixed precision. Below `avx512bf16` they multiply bfloat16 numbers as 32-bit ones,
    /// slower than fp32; below `avx2` they also add in another order.
    var mixedKernels: vgg_bf16_kernels {
        vgg_bf16_kernels_for(vgg_instruction_set(rawValue: UInt32(rawValue))).pointee
    }
}

/// The number format of activations and of the weights that kernels read.
public enum Precision: String, Codable, CaseIterable, Sendable {
    case fp32
    /// Mixed precision: bfloat16 activations and copies of weights; 32-bit weights, sums, loss and optimiser.
    case bf16

    /// bf16 where the processor multiplies it, else fp32.
    public static var automatic: Precision { InstructionSet.best >= .avx512bf16 ? .bf16 : .fp32 }
}

/// What a plan is for: inference keeps no more than it needs for the next step.
public enum Mode: Sendable {
    case training, inference
}
