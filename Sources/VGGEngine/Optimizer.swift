/// What tells a parameter from others for an optimiser that does not treat all alike.
public struct ParameterGroup: Hashable, Sendable {
    /// Whether it is of the network's last linear layer, the head.
    public var isOfHead: Bool
    /// Whether it is a bias, or batch norm's scale or shift, and no matrix of weights.
    public var isVector: Bool

    package init(isOfHead: Bool, isVector: Bool) {
        self.isOfHead = isOfHead
        self.isVector = isVector
    }
}

/// Stochastic gradient descent in PyTorch's definition (`torch.optim.SGD` with dampening 0).
public struct SGD: Hashable, Sendable, Codable {
    public var learningRate: Float
    /// That of the network's last linear layer; nil for the same as everywhere.
    public var headLearningRate: Float?
    public var momentum: Float
    public var nesterov: Bool
    /// Added to every gradient, times the parameter (L2).
    public var weightDecay: Float
    /// That of biases and of batch norm's scales and shifts; nil for the same as everywhere.
    public var vectorWeightDecay: Float?

    public init(
        learningRate: Float, headLearningRate: Float? = nil, momentum: Float = 0, nesterov: Bool = false,
        weightDecay: Float = 0, vectorWeightDecay: Float? = nil
    ) {
        self.learningRate = learningRate
        self.headLearningRate = headLearningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weightDecay = weightDecay
        self.vectorWeightDecay = vectorWeightDecay
    }

    /// The step for the parameters of a group.
    package struct Rule: Hashable, Sendable {
        package var learningRate: Float
        package var momentum: Float
        package var nesterov: Bool
        package var weightDecay: Float
    }

    /// What is done with the parameters of a group.
    package func rule(for group: ParameterGroup) -> Rule {
        Rule(
            learningRate: (group.isOfHead ? headLearningRate : nil) ?? learningRate, momentum: momentum,
            nesterov: nesterov, weightDecay: (group.isVector ? vectorWeightDecay : nil) ?? weightDecay)
    }
}
