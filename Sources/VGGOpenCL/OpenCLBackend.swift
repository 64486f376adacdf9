import Foundation
import VGGCPU
import VGGEngine

extension Device {
    /// A device of OpenCL.
    public static func opencl(_ device: OpenCLDevice) -> Device {
        Device(name: "opencl:\(device.index)", OpenCLBackend(device: device))
    }
}

/// Plans on a device of OpenCL: everything lies there as PyTorch has it.
package struct OpenCLBackend: Backend {
    package let device: OpenCLDevice

    package init(device: OpenCLDevice) { self.device = device }

    /// Those that prepare images.
    package var threads: Int { FreeProcessors.count }
    package var kernels: String { device.name }
    package var preferredPrecision: Precision { .fp32 }
    package var properties: DeviceProperties {
        let kind: DeviceKind =
            switch device.kind {
            case .cpu: .openclCPU
            case .gpu: .gpu
            case .other: .accelerator
            }
        return DeviceProperties(
            kind: kind, hardware: device.name, memory: device.memory, units: device.computeUnits,
            driver: "\(device.platform) \(device.driver)", precisions: Precision.allCases)
    }

    /// What is free nobody says; of a device that is the processor it is the machine's.
    package var freeMemory: Int? {
        if device.isProcessor { return FreeMemory.bytes.map { min($0, device.memory) } }
        let wished = ProcessInfo.processInfo.environment[FreeMemory.environmentVariable].flatMap { Int($0) }
        return [device.memory, wished].compactMap(\.self).min()
    }

    package func runs(_ step: PlannedStep) -> Bool { step.kind(batchSize: 1) != nil }

    package func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory {
        let places = ParameterPlaces(plan, alignment: device.alignment)
        let layout = OpenCLLayout(plan)
        let training = plan.mode == .training
        let averaged = optimizer?.average == nil ? 0 : places.total
        let copies = plan.precision == .bf16 ? places.bytes(of: .bfloat16) : 0
        let state = (optimizer?.stateCount ?? 0) * places.trained + averaged
        return PlanMemory(
            parameters: places.bytes(of: .float32) + copies,
            gradients: training ? places.updatedAfterwards * 4 : 0,
            optimizerState: training ? state * 4 : 0,
            activations: (layout.activations.sizes + layout.gradients.sizes).reduce(layout.images, +)
                + layout.kept + (layout.loss?.total ?? 0),
            scratch: layout.scratch)
    }

    package func steps(of plan: Plan) -> [StepDescription] { OpenCLLayout(plan).stepDescriptions }

    package func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan { try bound(plan, nil) }

    package func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan {
        guard let weights = weights as? OpenCLWeights else {
            preconditionFailure("weights of another device")
        }
        return try bound(plan, weights)
    }

    private func bound(_ plan: Plan, _ weights: OpenCLWeights?) throws(PlanError) -> OpenCLPlan {
        guard !plan.network.hasReflectedBorders else { throw .reflectedBorders }
        // Gradients that are written to it are in single precision.
        guard plan.mode != .inputGradient || plan.precision == .fp32 else {
            throw .precision(plan.precision, device: device.name)
        }
        // Kernels count a batch's pixels in 32 bits, four for one under a pool.
        let pixels = plan.steps.flatMap { [$0.input, $0.output] }.map { $0.height * $0.width }.max() ?? 0
        guard plan.batchSize * (pixels + 1) < 1 << 29 else {
            throw .outOfMemory(bytes: memory(of: plan, optimizer: nil).total)
        }
        let queue: OpenCLQueue
        do throws(DeviceError) { queue = try OpenCLQueue(try OpenCLContext.of(device)) } catch {
            throw .device(error)
        }
        let plan = try OpenCLPlan(plan, weights, queue)
        if let failure = queue.failure { throw .device(failure) }
        return plan
    }

    /// Binds a plan to a queue of the caller's, which knows what ran on it.
    package static func bind(_ plan: Plan, on queue: OpenCLQueue) throws(PlanError) -> any BoundPlan {
        try OpenCLPlan(plan, nil, queue)
    }
}
