import VGGModel

public enum Device: Hashable, Sendable { case cpu(threads: Int) }
public enum Precision: String, Codable, CaseIterable, Sendable { case fp32 }
public enum Mode: Sendable { case training, inference }
public enum Initialization: String, Codable, CaseIterable, Sendable { case xavier, kaiming }
public struct SGD: Hashable, Sendable, Codable {
    public var learningRate: Float
    public var momentum: Float
    public var nesterov: Bool
    public var weightDecay: Float
    public init(learningRate: Float, momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weightDecay = weightDecay
    }
}
public struct PlanMemory: Hashable, Sendable, Codable {
    public var parameters, gradients, optimizerState, activations, scratch: Int
    public var total: Int { parameters + gradients + optimizerState + activations + scratch }
}
public struct Plan: Sendable {
    public let network: Network
    public init(_ network: Network, batchSize: Int, mode: Mode, precision: Precision = .fp32) throws {
        self.network = network
    }
    public func memory(optimizer: SGD?) -> PlanMemory { fatalError("not yet") }
}
public struct BatchMetrics: Hashable, Sendable {
    /// The sum of the examples' cross-entropy losses.
    public var lossSum: Double
    public var correct: Int
    public var count: Int
}
public enum WeightsError: Error, Hashable {
    case missing(String)
    case unexpected(String)
    case shape(name: String, expected: [Int], found: [Int])
}
public final class Executor {
    public init(plan: Plan, device: Device) throws {}
    public func initialize(_ initialization: Initialization, seed: UInt64) {}
    public func load(_ weights: [String: Tensor]) throws(WeightsError) {}
    public var weights: [String: Tensor] { fatalError("not yet") }
    public var gradients: [String: Tensor] { fatalError("not yet") }
    /// Momentum buffers under their parameters' names; empty while the optimiser has none.
    public var momentum: [String: Tensor] { fatalError("not yet") }
    public func load(momentum: [String: Tensor]) throws(WeightsError) {}
    /// Inference: images NHWC [count, height, width, channels], count ≤ batch size; returns [count, classes].
    public func logits(images: [Float], count: Int) -> [Float] { fatalError("not yet") }
    public func evaluate(images: [Float], labels: [Int32]) -> BatchMetrics { fatalError("not yet") }
    /// `step` counts from 0 over the whole run: it chooses the dropout masks together with `seed`.
    public func trainingStep(images: [Float], labels: [Int32], optimizer: SGD, seed: UInt64, step: Int)
        -> BatchMetrics
    { fatalError("not yet") }
}
