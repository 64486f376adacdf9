import VGGModel

/// Where a plan runs: a value with a name. `Device.cpu` of VGGCPU makes one; VGGDevices knows all that there are.
public struct Device: Sendable, CustomStringConvertible {
    /// As the command line has it: `cpu`.
    public let name: String
    package let backend: any Backend
    /// Bytes that may be used at most; nil for all that are free.
    private var memoryLimit: Int?

    package init(name: String, _ backend: any Backend) {
        self.name = name
        self.backend = backend
    }

    public var description: String { name }

    /// What it is, as its driver or the system says.
    public var properties: DeviceProperties { backend.properties }

    /// Threads of the processor that work for the device. Results do not depend on the number.
    public var threads: Int { backend.threads }

    /// What computes: an instruction set, or the name of a chip.
    public var kernels: String { backend.kernels }

    /// The number format that the device is fastest in.
    public var preferredPrecision: Precision { backend.preferredPrecision }

    /// The precision that trains a network faster: bf16 where the processor has it and the network's convolutions are not
    /// those that single precision computes by fewer products.
    public func trainingPrecision(of network: Network) -> Precision { backend.trainingPrecision(of: network) }

    /// Bytes that a plan may take now; nil if nobody knows.
    public var freeMemory: Int? { [backend.freeMemory, memoryLimit].compactMap { $0 }.min() }

    /// The same device, of whose memory no more than this is used.
    /// - Parameter bytes: nil for all that is free.
    public func limited(toMemory bytes: Int?) -> Device {
        var device = self
        device.memoryLimit = bytes
        return device
    }

    /// The memory that a plan will take with an optimiser; nil for inference, and for training without one.
    public func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory {
        backend.memory(of: plan, optimizer: optimizer)
    }

    /// A plan's steps as this device runs them, in order.
    public func steps(of plan: Plan) -> [StepDescription] { backend.steps(of: plan) }

    /// Floating-point operations a second that the device reaches at most, measured now.
    public func measuredPeak(_ precision: Precision) -> Double { backend.measuredPeak(precision) }

    /// Bytes a second, read and written together, at which the device copies memory, measured now.
    public func measuredBandwidth() -> Double { backend.measuredBandwidth() }

    /// - Throws: `PlanError.precision` if the device does not compute in the plan's number format, `.layer` if it lacks one of
    ///   the network's layers.
    public func check(_ plan: Plan) throws(PlanError) {
        guard properties.precisions.contains(plan.precision) else {
            throw .precision(plan.precision, device: name)
        }
        if let step = plan.steps.first(where: { !backend.runs($0) }) {
            throw .layer(step.kind(in: plan.network), name: step.name(in: plan.network), device: name)
        }
    }
}
