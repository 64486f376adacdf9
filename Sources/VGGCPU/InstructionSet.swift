import CVGGKernels
import Foundation

/// The instruction sets of this kind of processor that kernels exist for, in rising order.
public enum InstructionSet: Int, CaseIterable, Comparable, Sendable {
    /// Plain C, the slow reference.
    case portable
    #if arch(arm64)
        /// Vectors of 128 bits, for mixed precision; plain C for the rest.
        case neon
    #else
        /// Vectors of 256 bits, with FMA.
        case avx2
        /// Vectors of 512 bits: F, BW, DQ and VL.
        case avx512
        /// The same with products of bf16.
        case avx512bf16
    #endif

    /// The name of the environment variable that may lower, never raise, the choice: `portable`, `avx2` …
    public static let environmentVariable = "VGG_MAX_ISA"

    /// The best one of this processor, or what the environment variable lowers it to.
    public static let best: InstructionSet = {
        let wished = ProcessInfo.processInfo.environment[environmentVariable]
        return min(available, allCases.first { "\($0)" == wished } ?? available)
    }()

    /// The best one of this processor.
    static var available: InstructionSet {
        InstructionSet(rawValue: Int(vgg_best_instruction_set().rawValue)) ?? .portable
    }

    /// Every one that this processor can run.
    package static var allAvailable: [InstructionSet] { allCases.filter { $0 <= available } }

    /// Whether it has instructions for products of bf16 numbers. Without them the kernels of mixed precision make
    /// those in fp32 and are slower than fp32's.
    package var multipliesBF16: Bool {
        #if arch(arm64)
            false
        #else
            self == .avx512bf16
        #endif
    }

    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.rawValue < right.rawValue
    }

    var kernels: vgg_kernels {
        vgg_kernels_for(vgg_instruction_set(rawValue: UInt32(rawValue))).pointee
    }

    /// The kernels of mixed precision; those in plain C add in another order than the others.
    var mixedKernels: vgg_bf16_kernels {
        vgg_bf16_kernels_for(vgg_instruction_set(rawValue: UInt32(rawValue))).pointee
    }
}
