/// A learning rate that is lowered whenever a figure has not become greater for some epochs: timm's `plateau`, which is
/// torch's `ReduceLROnPlateau` after a warm-up.
///
/// It is the only rate with a memory, which belongs into a checkpoint.
package struct PlateauRate: Hashable, Sendable, Codable {
    /// After how many epochs in a row without a better figure the rate stays as it is.
    package let patience: Int
    /// What the rate is multiplied by.
    package let factor: Double
    package let minimum: Double
    package let warmupEpochs: Int
    private let warmupRate: Double
    private let warmRate: Double

    /// That of the next epoch.
    package private(set) var rate: Double
    /// nil before the first figure.
    package private(set) var best: Double?
    /// How many epochs in a row were not better.
    package private(set) var badEpochs = 0

    package init(
        rate: Double, patience: Int = 10, factor: Double = 0.1, minimum: Double = 0,
        warmupEpochs: Int = 0, warmupRate: Double = 1e-5
    ) {
        self.patience = patience
        self.factor = factor
        self.minimum = minimum
        self.warmupEpochs = warmupEpochs
        self.warmupRate = warmupRate
        warmRate = rate
        self.rate = warmupEpochs > 0 ? warmupRate : rate
    }

    /// Ends an epoch. In the warm-up figures do not count.
    /// - Parameters:
    ///   - epoch: its number, from 0.
    ///   - figure: what it reached; one that is not a number is not better than any.
    package mutating func finish(epoch: Int, figure: Double) {
        guard epoch + 1 > warmupEpochs else {
            rate = warmupRate + Double(epoch + 1) * ((warmRate - warmupRate) / Double(warmupEpochs))
            return
        }
        if isBetter(figure) {
            best = figure
            badEpochs = 0
        } else {
            badEpochs += 1
        }
        guard badEpochs > patience else { return }
        badEpochs = 0
        let lower = max(rate * factor, minimum)
        // torch's bound below which a change is none.
        if rate - lower > 1e-8 { rate = lower }
    }

    /// Greater by a ten-thousandth of the best, torch's threshold.
    private func isBetter(_ figure: Double) -> Bool {
        guard let best else { return !figure.isNaN }
        return figure > best * (1 + 1e-4)
    }
}
