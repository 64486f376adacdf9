import VGGModel

/// The weights of a plan for inference in a device's memory, as its kernels read them: made once, for any number of
/// executors on any threads. An executor adds memory for a batch, and none for weights.
///
///     let weights = try PackedWeights(tensors, for: plan, on: .best)
///     let (one, other) = (try weights.executor(), try weights.executor())
public struct PackedWeights: Sendable {
    /// What they are packed for.
    public let plan: Plan
    /// Where they are.
    public let device: Device
    private let shared: any SharedWeights

    /// - Parameters:
    ///   - tensors: under torchvision's names.
    ///   - plan: for inference.
    /// - Throws: `WeightsError` that names the tensor at fault, or `PlanError.outOfMemory`.
    public init(_ tensors: [String: Tensor], for plan: Plan, on device: Device) throws {
        precondition(plan.mode == .inference, "weights that are trained are not shared")
        let executor = try Executor(plan: plan, device: device)
        try executor.load(tensors)
        shared = executor.bound.shareWeights()
        self.plan = plan
        self.device = device
    }

    /// An executor with these weights, which it cannot change.
    /// - Throws: `PlanError.outOfMemory` if the memory for a batch cannot be reserved.
    public func executor() throws(PlanError) -> Executor {
        Executor(plan: plan, try device.backend.bind(plan, sharing: shared), sharesWeights: true)
    }
}
