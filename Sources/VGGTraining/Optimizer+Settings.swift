import VGGEngine
import VGGModel

extension Optimizer {
    /// What an optimiser is where nothing else is said: torch's defaults, but for SGD's rate, which is the chapter's.
    package static func usual(_ kind: Kind) -> Optimizer {
        switch kind {
        case .sgd: Optimizer(learningRate: 0.05)
        case .adam: Optimizer(.adam, learningRate: 0.001)
        case .adamw: Optimizer(.adamw, learningRate: 0.001, weightDecay: 0.01)
        }
    }

    /// How many times the rate the head's own is; nil where it has none.
    package var headRateRatio: Double? { headLearningRate.map { Double($0) / Double(learningRate) } }

    /// - Throws: `TrainingError.invalidSetting` for a number that makes no sense, and for settings that contradict each
    ///   other.
    func validate() throws(TrainingError) {
        let rates: [(Setting, Float?)] = [
            (.learningRate, learningRate), (.headLearningRate, headLearningRate),
            (.bnBiasLrScale, bnBiasLrScale),
        ]
        for case (let setting, let rate?) in rates where !(rate > 0 && rate.isFinite) {
            throw .invalidSetting(setting, reason: "must be greater than 0 and at most 3.4e38, not \(rate)")
        }
        try kind == .sgd ? validateSGD() : validateAdam()
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw .invalidSetting(
                .weightDecay, reason: "must be at least 0 and at most 3.4e38, not \(weightDecay)")
        }
        if let decay = vectorWeightDecay {
            guard decay == 0 else {
                throw .invalidSetting(
                    .noNormDecay, reason: "is a weight decay of 0 for biases and norms, not \(decay)")
            }
            guard weightDecay > 0 else {
                throw .invalidSetting(.noNormDecay, reason: "needs a \(Setting.weightDecay) above 0")
            }
        }
        if let decay = average?.decay, !(0..<1 ~= decay) {
            throw .invalidSetting(.modelEmaDecay, reason: "must be at least 0 and less than 1, not \(decay)")
        }
    }

    private func validateSGD() throws(TrainingError) {
        guard (0..<1).contains(momentum) else {
            throw .invalidSetting(.momentum, reason: "must be at least 0 and less than 1, not \(momentum)")
        }
        guard !nesterov || momentum > 0 else {
            throw .invalidSetting(.nesterov, reason: "needs a \(Setting.momentum) above 0")
        }
        if let dampening {
            guard 0...1 ~= dampening else {
                throw .invalidSetting(.dampening, reason: "must be between 0 and 1, not \(dampening)")
            }
            guard momentum > 0, !nesterov else {
                throw .invalidSetting(
                    .dampening,
                    reason: nesterov
                        ? "is not for \(Setting.nesterov)" : "needs a \(Setting.momentum) above 0")
            }
        }
        let others: [(Setting, Bool)] = [(.optBetas, betas != nil), (.optEps, eps != nil)]
        for (setting, isGiven) in others where isGiven {
            throw .invalidSetting(setting, reason: "is for \(Setting.opt) adam or adamw")
        }
    }

    private func validateAdam() throws(TrainingError) {
        let others: [(Setting, Bool)] = [
            (.momentum, momentum != 0), (.nesterov, nesterov), (.dampening, dampening != nil),
        ]
        for (setting, isGiven) in others where isGiven {
            throw .invalidSetting(setting, reason: "is for \(Setting.opt) sgd")
        }
        if let betas, betas.count != 2 || !betas.allSatisfy({ 0..<1 ~= $0 }) {
            throw .invalidSetting(.optBetas, reason: "must be two numbers, at least 0 and less than 1")
        }
        if let eps, !(Float(eps) >= .leastNormalMagnitude && Float(eps).isFinite) {
            throw .invalidSetting(.optEps, reason: "must be greater than 1.2e-38, not \(eps)")
        }
    }
}
