import VGGData
import VGGModel

/// What a run's configuration says about how training pictures are mixed with each other; names and defaults are timm's.
public struct MixingSettings: Hashable, Sendable, Codable {
    /// The alphas of mixup and cutmix, whose shares are distributed as Beta(alpha, alpha); nil for none.
    public var mixup: Double?
    /// The alpha of cutmix; nil for none.
    public var cutmix: Double?
    /// In place of cutmix's shares, the least and the greatest part of the sides that a rectangle may have.
    public var cutmixMinmax: [Double]?
    /// How probably anything is mixed; else 1.
    public var mixupProb: Double?
    /// How probably it is cutmix where both are wanted; else a half.
    public var mixupSwitchProb: Double?
    /// How much of a batch shares what is drawn; else all of it.
    public var mixupMode: BatchMixing.Mode?
    /// After so many epochs nothing is mixed any more.
    public var mixupOffEpoch: Int?

    /// Nothing is mixed.
    public init() {}

    /// How the batches of an epoch are mixed; nil for not at all.
    /// - Parameter epoch: from 0.
    /// - Precondition: the settings are valid.
    package func mixing(in epoch: Int) -> BatchMixing? {
        if let mixupOffEpoch, epoch >= mixupOffEpoch { return nil }
        return BatchMixing(
            mixup: mixup ?? 0, cutmix: cutmix ?? 0, cutmixSides: cutmixMinmax.map { $0[0]...$0[1] },
            probability: mixupProb ?? 1, switchProbability: mixupSwitchProb ?? 0.5, mode: mixupMode ?? .batch)
    }

    /// - Throws: `TrainingError.invalidSetting` for a number that makes no sense, and for settings that contradict each
    ///   other.
    package func validate() throws(TrainingError) {
        let alphas: [(Setting, Double?)] = [(.mixup, mixup), (.cutmix, cutmix)]
        for case (let setting, let alpha?) in alphas where !(1e-6...1000 ~= alpha) {
            throw .invalidSetting(setting, reason: "must be between 1e-6 and 1000, not \(alpha)")
        }
        if let sides = cutmixMinmax {
            guard cutmix == nil else {
                throw .invalidSetting(
                    .cutmixMinmax, reason: "and \(Setting.cutmix) are two ways to draw a rectangle; give one")
            }
            guard sides.count == 2, sides[0] <= sides[1], sides.allSatisfy({ 0...1 ~= $0 }) else {
                throw .invalidSetting(
                    .cutmixMinmax, reason: "must be two numbers, the least and the greatest, between 0 and 1")
            }
        }
        let cuts = cutmix != nil || cutmixMinmax != nil
        let others: [(Setting, Bool)] = [
            (.mixupProb, mixupProb != nil), (.mixupMode, mixupMode != nil),
            (.mixupOffEpoch, mixupOffEpoch != nil),
        ]
        for (setting, isGiven) in others where isGiven && mixup == nil && !cuts {
            throw .invalidSetting(setting, reason: "needs \(Setting.mixup) or \(Setting.cutmix)")
        }
        guard mixupSwitchProb == nil || (mixup != nil && cuts) else {
            throw .invalidSetting(.mixupSwitchProb, reason: "needs \(Setting.mixup) and \(Setting.cutmix)")
        }
        let probabilities: [(Setting, Double?)] = [
            (.mixupProb, mixupProb), (.mixupSwitchProb, mixupSwitchProb),
        ]
        for case (let setting, let probability?) in probabilities where !(0...1 ~= probability) {
            throw .invalidSetting(setting, reason: "must be between 0 and 1, not \(probability)")
        }
        if let mixupOffEpoch, let reason = SettingRange.epochs.objection(to: mixupOffEpoch) {
            throw .invalidSetting(.mixupOffEpoch, reason: reason)
        }
    }
}
