import Foundation
import VGGEngine

extension Device {
    /// The processor, with every thread that the program may use and the best kernels there are.
    public static var cpu: Device { cpu() }

    /// The processor.
    /// - Parameters:
    ///   - threads: at least one; nil for as many as the program may use.
    ///   - instructionSet: the kernels to use, if the processor has them, else the best it has; nil for these. A test
    ///     may ask for less.
    public static func cpu(threads: Int? = nil, instructionSet: InstructionSet? = nil) -> Device {
        Device(
            name: "cpu",
            CPUBackend(
                threads: max(1, threads ?? FreeProcessors.count),
                instructionSet: min(instructionSet ?? .best, .available)))
    }
}

/// Plans on the processor: packed weights and channels-last activations in its memory, kernels of one instruction
/// set, a number of threads.
package struct CPUBackend: Backend {
    package let threads: Int
    package let instructionSet: InstructionSet

    package init(threads: Int, instructionSet: InstructionSet) {
        self.threads = threads
        self.instructionSet = instructionSet
    }

    package var kernels: String { "\(instructionSet)" }

    /// bf16 everywhere, though its products are made in fp32 where the processor does not multiply it.
    package var properties: DeviceProperties {
        DeviceProperties(
            kind: .cpu, hardware: ProcessorName.text ?? "processor",
            memory: Int(exactly: ProcessInfo.processInfo.physicalMemory), units: threads, driver: kernels,
            precisions: Precision.allCases)
    }

    /// bf16 where the processor multiplies it.
    package var preferredPrecision: Precision { instructionSet.multipliesBF16 ? .bf16 : .fp32 }

    package var freeMemory: Int? { FreeMemory.bytes }

    package func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory {
        LaidOutPlan(plan).memory(optimizer: optimizer, threads: threads)
    }

    package func steps(of plan: Plan) -> [StepDescription] {
        LaidOutPlan(plan).stepDescriptions(threads: threads)
    }

    package func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan {
        let layout = LaidOutPlan(plan)
        return try CPUPlan(layout, CPUWeights(layout), threads: threads, instructionSet: instructionSet)
    }

    package func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan {
        guard let weights = weights as? CPUWeights else { preconditionFailure("weights of another device") }
        return try CPUPlan(
            LaidOutPlan(plan), weights, threads: threads, instructionSet: instructionSet)
    }
}
