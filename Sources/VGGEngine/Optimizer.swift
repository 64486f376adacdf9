/// What is done with parameters and their gradients: stochastic gradient descent, Adam or AdamW in PyTorch's definitions
/// (`torch.optim`), and the average of the weights that is kept beside them.
///
///     Optimizer(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4)
///     Optimizer(.adamw, learningRate: 1e-3, weightDecay: 0.01)
public struct Optimizer: Hashable, Sendable, Codable {
    /// timm's names.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Stochastic gradient descent, with or without momentum.
        case sgd
        /// Kingma & Ba 2014, "Adam: A method for stochastic optimization".
        case adam
        /// Loshchilov & Hutter 2017, "Decoupled weight decay regularization".
        case adamw
    }

    /// nil for SGD.
    public var opt: Kind?
    /// Of everything that has no rate of its own.
    public var learningRate: Float
    /// That of the network's last linear layer; nil for the same as everywhere.
    public var headLearningRate: Float?
    /// What the rate of batch norm's shifts is multiplied by; nil for nothing.
    public var bnBiasLrScale: Float?
    /// SGD's.
    public var momentum: Float
    /// How much of a gradient does not come into the momentum; nil for nothing.
    public var dampening: Float?
    /// Whether the momentum looks ahead (Sutskever et al. 2013), as PyTorch's SGD does it.
    public var nesterov: Bool
    /// Added to every gradient, times the parameter (L2); AdamW's shrinks the parameters instead.
    public var weightDecay: Float
    /// That of biases and of batch norm's scales and shifts; nil for the same as everywhere.
    public var vectorWeightDecay: Float?
    /// How much is kept of Adam's averages of the gradients and of their squares; nil for 0.9 and 0.999.
    public var betas: [Double]?
    /// What is added to the root of the latter; nil for 1e-8.
    public var eps: Double?
    /// The average of the weights that is kept; nil for none.
    public var average: WeightAverage?

    /// Adam's where none are said: PyTorch's.
    package static let usualBetas = [0.9, 0.999]
    package static let usualEps = 1e-8

    /// What is not given is PyTorch's default.
    public init(
        _ opt: Kind = .sgd, learningRate: Float, headLearningRate: Float? = nil,
        bnBiasLrScale: Float? = nil, momentum: Float = 0, dampening: Float? = nil, nesterov: Bool = false,
        weightDecay: Float = 0,
        vectorWeightDecay: Float? = nil, betas: [Double]? = nil, eps: Double? = nil,
        average: WeightAverage? = nil
    ) {
        self.opt = opt == .sgd ? nil : opt
        self.learningRate = learningRate
        self.headLearningRate = headLearningRate
        self.bnBiasLrScale = bnBiasLrScale
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        self.weightDecay = weightDecay
        self.vectorWeightDecay = vectorWeightDecay
        self.betas = betas
        self.eps = eps
        self.average = average
    }

    /// Which rule updates the parameters.
    public var kind: Kind { opt ?? .sgd }

    /// Whether it keeps an average of the gradients.
    package var hasMomentum: Bool { kind != .sgd || momentum != 0 }

    /// Whether it keeps an average of their squares.
    package var hasSecondMoment: Bool { kind != .sgd }

    /// Numbers that it keeps for each trained parameter, the average of the weights not counted.
    package var stateCount: Int { (hasMomentum ? 1 : 0) + (hasSecondMoment ? 1 : 0) }
}

/// What tells a parameter from others for an optimiser that does not treat all alike.
package struct ParameterGroup: Hashable, Sendable {
    /// Whether it is of the network's last linear layer, the head.
    package var isOfHead: Bool
    /// Whether it is a bias, or batch norm's scale or shift, and no matrix of weights.
    package var isVector: Bool
    /// Whether it is batch norm's shift, torch's `bias`.
    package var isShift: Bool

    package init(isOfHead: Bool, isVector: Bool, isShift: Bool = false) {
        self.isOfHead = isOfHead
        self.isVector = isVector
        self.isShift = isShift
    }

    /// All that there may be: nothing of the head is a shift.
    package static let all = [
        ParameterGroup(isOfHead: false, isVector: false), ParameterGroup(isOfHead: false, isVector: true),
        ParameterGroup(isOfHead: false, isVector: true, isShift: true),
        ParameterGroup(isOfHead: true, isVector: false), ParameterGroup(isOfHead: true, isVector: true),
    ]
}

/// One update of all trained parameters.
package struct ParameterUpdate: Hashable, Sendable {
    package let optimizer: Optimizer
    /// Counted from 1 since the optimiser's state began.
    package let number: Int

    package init(_ optimizer: Optimizer, number: Int) {
        self.optimizer = optimizer
        self.number = number
    }

    /// How far the average of the weights moves towards them; nil where there is none.
    package var averageShare: Double? { optimizer.average.map { 1 - $0.decay(after: number) } }

    /// What is done with the parameters of a group.
    package struct Rule: Sendable {
        package var kind: Optimizer.Kind
        package var learningRate: Double
        package var weightDecay: Double
        /// SGD's, as the optimiser says; but the first gradient comes into the momentum as it is.
        package var momentum: Double
        package var dampening: Double
        package var nesterov: Bool
        /// Adam's.
        package var betas: (Double, Double)
        package var eps: Double
    }

    /// What is done with the parameters of a group.
    package func rule(for group: ParameterGroup) -> Rule {
        let decay = (group.isVector ? optimizer.vectorWeightDecay : nil) ?? optimizer.weightDecay
        let rate = (group.isOfHead ? optimizer.headLearningRate : nil) ?? optimizer.learningRate
        let betas = optimizer.betas ?? Optimizer.usualBetas
        return Rule(
            kind: optimizer.kind,
            learningRate: Double(rate) * Double((group.isShift ? optimizer.bnBiasLrScale : nil) ?? 1),
            weightDecay: Double(decay),
            momentum: Double(optimizer.momentum),
            dampening: number > 1 ? Double(optimizer.dampening ?? 0) : 0, nesterov: optimizer.nesterov,
            betas: (betas[0], betas[1]), eps: optimizer.eps ?? Optimizer.usualEps)
    }
}
