import VGGModel

/// What a run's configuration says about its learning rate; what is not said is timm's default.
public struct ScheduleSettings: Hashable, Sendable, Codable {
    /// timm's names, and torch's `OneCycleLR`.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// As `LearningRateSchedule.Shape` has them, but for `plateau`, which follows the accuracy.
        case step, multistep, cosine, onecycle, plateau
    }

    /// nil for a constant rate, after the warm-up if there is one.
    public var sched: Kind?
    /// In how many epochs the rate rises from `warmupLr` in a line; else none.
    public var warmupEpochs: Int?
    /// Else 1e-5.
    public var warmupLr: Double?
    /// The rate at the end of a cosine, and the least of a plateau; else 0.
    public var minLr: Double?
    /// After how many epochs each a step lowers the rate; else 90.
    public var decayEpochs: Double?
    /// At the ends of which epochs `multistep` lowers it, in rising order.
    public var decayMilestones: [Int]?
    /// What the rate is multiplied by then; else 0.1.
    public var decayRate: Double?
    /// After how many epochs in a row without a better accuracy `plateau` does not yet lower it; else 10.
    public var patienceEpochs: Int?

    /// What is not said: timm's.
    enum Usual {
        static let warmupLr = 1e-5
        static let decayEpochs = 90.0
        static let decayRate = 0.1
        static let patienceEpochs = 10
    }

    /// A constant rate.
    public init() {}

    /// Whether the rate of a step depends on how many epochs there are in all.
    package var dependsOnEpochs: Bool { sched == .cosine || sched == .onecycle }

    /// The schedule of a rate.
    func schedule(rate: Float, epochs: Int, stepsPerEpoch: Int) -> LearningRateSchedule {
        let factor = decayRate ?? Usual.decayRate
        let shape: LearningRateSchedule.Shape =
            switch sched {
            // A plateau's rate is not a function of the step.
            case nil, .plateau: .constant
            case .step: .step(epochs: decayEpochs ?? Usual.decayEpochs, factor: factor)
            case .multistep: .multistep(epochs: decayMilestones ?? [], factor: factor)
            case .cosine: .cosine(minimum: minLr ?? 0)
            case .onecycle: .oneCycle()
            }
        return LearningRateSchedule(
            shape, rate: Double(rate), epochs: epochs, updatesPerEpoch: stepsPerEpoch,
            warmupEpochs: warmupEpochs ?? 0, warmupRate: warmupLr ?? Usual.warmupLr)
    }

    /// The rate that follows the accuracy, before the first epoch; nil for other schedules.
    func plateau(rate: Float) -> PlateauRate? {
        guard sched == .plateau else { return nil }
        return PlateauRate(
            rate: Double(rate), patience: patienceEpochs ?? Usual.patienceEpochs,
            factor: decayRate ?? Usual.decayRate,
            minimum: minLr ?? 0, warmupEpochs: warmupEpochs ?? 0, warmupRate: warmupLr ?? Usual.warmupLr)
    }

    /// - Throws: `TrainingError.invalidSetting` for a number that makes no sense, and for settings that contradict each
    ///   other.
    func validate(epochs: Int) throws(TrainingError) {
        let uses: [(setting: Setting, isGiven: Bool, kinds: [Kind])] = [
            (.minLr, minLr != nil, [.cosine, .plateau]), (.decayEpochs, decayEpochs != nil, [.step]),
            (.decayMilestones, decayMilestones != nil, [.multistep]),
            (.decayRate, decayRate != nil, [.step, .multistep, .plateau]),
            (.patienceEpochs, patienceEpochs != nil, [.plateau]),
        ]
        for use in uses where use.isGiven {
            guard let sched, use.kinds.contains(sched) else {
                let kinds = use.kinds.map(\.rawValue).joined(separator: " or ")
                throw .invalidSetting(use.setting, reason: "is for \(Setting.sched) \(kinds)")
            }
        }
        guard sched != .multistep || decayMilestones != nil else {
            throw .invalidSetting(.sched, reason: "multistep needs \(Setting.decayMilestones)")
        }
        guard sched != .onecycle || (warmupEpochs ?? 0) == 0 else {
            throw .invalidSetting(
                .warmupEpochs,
                reason: "is not for \(Setting.sched) onecycle, which begins with one of its own")
        }
        guard warmupLr == nil || warmupEpochs != nil else {
            throw .invalidSetting(.warmupLr, reason: "needs \(Setting.warmupEpochs)")
        }
        if let warmupEpochs, !(0...epochs).contains(warmupEpochs) {
            throw .invalidSetting(
                .warmupEpochs,
                reason: "must be between 0 and the \(epochs) of \(Setting.epochs), not \(warmupEpochs)")
        }
        let rates: [(Setting, Double?)] = [(.warmupLr, warmupLr), (.minLr, minLr)]
        for case (let setting, let rate?) in rates where !(rate >= 0 && Float(rate).isFinite) {
            throw .invalidSetting(setting, reason: "must be at least 0 and at most 3.4e38, not \(rate)")
        }
        let decays: [(Setting, Double?, ClosedRange<Double>)] = [
            (.decayEpochs, decayEpochs, 0.001...1e6), (.decayRate, decayRate, 1e-6...10),
        ]
        for case (let setting, let number?, let range) in decays where !range.contains(number) {
            throw .invalidSetting(
                setting, reason: "must be between \(range.lowerBound) and \(range.upperBound), not \(number)")
        }
        if let patienceEpochs, let reason = (0...SettingRange.epochs.upperBound).objection(to: patienceEpochs)
        {
            throw .invalidSetting(.patienceEpochs, reason: reason)
        }
        if let milestones = decayMilestones {
            let isRising = zip(milestones, milestones.dropFirst()).allSatisfy { $0 < $1 }
            guard isRising, !milestones.isEmpty, milestones.allSatisfy(SettingRange.epochs.contains) else {
                throw .invalidSetting(.decayMilestones, reason: "must be epochs, from 1 on, in rising order")
            }
        }
    }
}
