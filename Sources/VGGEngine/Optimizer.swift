/// Stochastic gradient descent in PyTorch's definition (`torch.optim.SGD` with dampening 0).
public struct SGD: Hashable, Sendable, Codable {
    public var learningRate: Float
    /// That of the network's last linear layer; nil for the same as everywhere.
    public var headLearningRate: Float?
    public var momentum: Float
    public var nesterov: Bool
    /// Added to every gradient, times the parameter (L2), biases included.
    public var weightDecay: Float

    public init(
        learningRate: Float, headLearningRate: Float? = nil, momentum: Float = 0, nesterov: Bool = false,
        weightDecay: Float = 0
    ) {
        self.learningRate = learningRate
        self.headLearningRate = headLearningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weightDecay = weightDecay
    }
}
