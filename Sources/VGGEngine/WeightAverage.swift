import Foundation

/// A moving average of the weights, which is tested and kept in place of them: timm's `ModelEmaV3`.
///
/// After each update the average moves towards the weights by what the decay leaves. Running statistics are averaged
/// like weights.
public struct WeightAverage: Hashable, Sendable, Codable {
    /// timm's `--model-ema-decay`.
    public var decay: Double
    /// Whether the decay begins at 0 and rises, as 1 - (1 + update)^-⅔, up to its value.
    public var usesWarmup: Bool

    /// timm's defaults.
    public init(decay: Double = 0.9998, usesWarmup: Bool = false) {
        self.decay = decay
        self.usesWarmup = usesWarmup
    }

    /// The decay after so many updates: 0 after the first, when the average becomes what the weights are.
    /// - Parameter updates: at least 1.
    package func decay(after updates: Int) -> Double {
        guard updates > 1 else { return 0 }
        return usesWarmup ? min(1 - pow(Double(updates), -2 / 3), decay) : decay
    }
}
