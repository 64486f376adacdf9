/// The memory a plan takes on a device, in bytes.
public struct PlanMemory: Hashable, Sendable, Codable {
    /// Of all tensors, in 32 bits.
    public var parameters: Int
    /// Of the parameters that are not updated as soon as their gradients are made.
    public var gradients: Int
    /// What the optimiser keeps beside the parameters, and their average.
    public var optimizerState: Int
    /// Of the batch, with the gradients that are passed back and what pools remember.
    public var activations: Int
    /// What kernels need while they run.
    public var scratch: Int

    /// All of it.
    public var total: Int { parameters + gradients + optimizerState + activations + scratch }

    package init(parameters: Int, gradients: Int, optimizerState: Int, activations: Int, scratch: Int) {
        self.parameters = parameters
        self.gradients = gradients
        self.optimizerState = optimizerState
        self.activations = activations
        self.scratch = scratch
    }
}

extension Plan {
    /// Checks that the memory of the plan is free on a device, before any of it is reserved.
    /// - Parameters:
    ///   - optimizer: nil for inference.
    ///   - others: bytes that are needed beside the plan's, for a batch size.
    /// - Throws: `PlanError.tooLarge` with the largest batch size that would fit, or what `Device.check` throws.
    public func checkFits(
        on device: Device, optimizer: Optimizer? = nil, beside others: (_ batchSize: Int) -> Int = { _ in 0 }
    ) throws(PlanError) {
        try device.check(self)
        // Where the system does not say what is free, nothing is wrong.
        guard let free = device.freeMemory else { return }
        func bytes(_ batchSize: Int) throws(PlanError) -> Int {
            device.memory(of: try resized(to: batchSize), optimizer: optimizer).total + others(batchSize)
        }
        let needed = try bytes(batchSize)
        guard needed > free else { return }
        var (fits, tooLarge) = (0, batchSize)
        while tooLarge - fits > 1 {
            let middle = (fits + tooLarge) / 2
            if try bytes(middle) <= free { fits = middle } else { tooLarge = middle }
        }
        throw .tooLarge(
            batchSize: batchSize, bytes: needed, free: free, largestBatch: fits > 0 ? fits : nil)
    }
}
