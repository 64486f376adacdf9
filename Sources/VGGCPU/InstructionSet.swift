import CVGGKernels
import Foundation

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

    /// The kernels of mixed precision. Below `avx512bf16` they multiply bf16 numbers as fp32 ones, slower than
    /// fp32; below `avx2` they also add in another order.
    var mixedKernels: vgg_bf16_kernels {
        vgg_bf16_kernels_for(vgg_instruction_set(rawValue: UInt32(rawValue))).pointee
    }
}
