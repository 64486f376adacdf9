import Foundation

/// The learning rate as a function of the update: timm's schedules stepped on updates, and torch's `OneCycleLR`.
///
///     let schedule = LearningRateSchedule(.cosine(), rate: 0.1, epochs: 75, updatesPerEpoch: 469, warmupEpochs: 3)
///     optimizer.learningRate = Float(schedule.rate(at: update))
///
/// A schedule has no state: a training that is resumed asks for its next update.
public struct LearningRateSchedule: Hashable, Sendable {
    /// How the rate falls.
    public enum Shape: Hashable, Sendable {
        /// Not at all.
        case constant
        /// Every so many epochs the rate is multiplied by the factor.
        case step(epochs: Double = 90, factor: Double = 0.1)
        /// At the end of each of these epochs it is multiplied by the factor.
        ///
        /// As in timm the first update with the new rate is the last one before the epoch's end.
        case multistep(epochs: [Int], factor: Double = 0.1)
        /// Half a period of a cosine, down to the minimum.
        case cosine(minimum: Double = 0)
        /// Up to the rate in this part of the updates, from a 25th of it, and down to a 250 000th, both along cosines
        /// (Smith & Topin 2017, "Super-convergence").
        case oneCycle(rise: Double = 0.3)
    }

    /// How the rate falls.
    public var shape: Shape
    /// The largest rate.
    public var rate: Double
    /// How many epochs there are, those of the warm-up included.
    public var epochs: Int
    /// Updates of an epoch, of which each has its own rate.
    public var updatesPerEpoch: Int
    /// For how many epochs the rate rises in a line from `warmupRate` to the largest. The shape then goes on from where it
    /// would be without that, as timm's does.
    public var warmupEpochs: Int
    /// Where the warm-up begins.
    public var warmupRate: Double

    /// - Precondition: the counts are positive, that of the warm-up at least zero.
    public init(
        _ shape: Shape, rate: Double, epochs: Int, updatesPerEpoch: Int, warmupEpochs: Int = 0,
        warmupRate: Double = 1e-5
    ) {
        precondition(
            min(epochs, updatesPerEpoch) > 0 && warmupEpochs >= 0, "a schedule has at least one update")
        self.shape = shape
        self.rate = rate
        self.epochs = epochs
        self.updatesPerEpoch = updatesPerEpoch
        self.warmupEpochs = warmupEpochs
        self.warmupRate = warmupRate
    }

    /// The rate of an update, counted from 0 and through all epochs.
    public func rate(at update: Int) -> Double {
        let warmup = warmupEpochs * updatesPerEpoch
        guard update >= warmup else {
            return warmupRate + Double(update) * ((rate - warmupRate) / Double(warmup))
        }
        let total = epochs * updatesPerEpoch
        switch shape {
        case .constant: return rate
        case .step(let epochs, let factor):
            return rate * pow(factor, (Double(update) / (epochs * Double(updatesPerEpoch))).rounded(.down))
        case .multistep(let epochs, let factor):
            let passed = epochs.count { $0 * updatesPerEpoch <= update + 1 }
            return rate * pow(factor, Double(passed))
        case .cosine(let minimum):
            guard update < total else { return minimum }
            return minimum + 0.5 * (rate - minimum) * (1 + cos(.pi * Double(update) / Double(total)))
        case .oneCycle(let rise):
            let (start, end) = (rate / 25, rate / 25 / 1e4)
            let (top, last) = (rise * Double(total) - 1, Double(total - 1))
            let place = min(Double(update), last)
            return place <= top && top > 0
                ? annealed(from: start, to: rate, place / top)
                : annealed(from: rate, to: end, last > top ? (place - top) / (last - top) : 1)
        }
    }

    /// Along half a cosine.
    private func annealed(from start: Double, to end: Double, _ part: Double) -> Double {
        end + (start - end) / 2 * (cos(.pi * part) + 1)
    }
}
