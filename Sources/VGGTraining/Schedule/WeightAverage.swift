import Foundation

/// A moving average of the weights, which is tested and kept in place of them: timm's `ModelEmaV3`.
///
/// After each update the average moves towards the weights by what the decay leaves. Running statistics are averaged
/// like weights.
package struct WeightAverage: Hashable, Sendable {
    /// timm's `--model-ema-decay`.
    package var decay: Double
    /// Whether the decay begins at 0 and rises, as 1 - (1 + update)^-⅔, up to its value.
    package var usesWarmup: Bool

    package init(decay: Double = 0.9998, usesWarmup: Bool = false) {
        self.decay = decay
        self.usesWarmup = usesWarmup
    }

    /// The decay after so many updates: 0 after the first, when the average becomes what the weights are.
    /// - Parameter updates: at least 1.
    package func decay(after updates: Int) -> Double {
        guard updates > 1 else { return 0 }
        return usesWarmup ? min(1 - pow(Double(updates), -2 / 3), decay) : decay
    }

    /// Moves an average towards the weights after so many updates.
    /// - Precondition: both have as many numbers.
    package func move(_ average: inout MutableSpan<Float>, towards weights: Span<Float>, after updates: Int) {
        precondition(average.count == weights.count, "an average has as many numbers as the weights")
        let weight = Float(1 - decay(after: updates))
        // torch's `lerp`: from the nearer end.
        if weight < 0.5 {
            for place in average.indices { average[place] += weight * (weights[place] - average[place]) }
        } else {
            for place in average.indices {
                average[place] = weights[place] - (weights[place] - average[place]) * (1 - weight)
            }
        }
    }
}
