/// What a batch gave.
public struct BatchMetrics: Hashable, Sendable {
    /// The sum of the examples' cross-entropy losses.
    public var lossSum: Double
    /// Examples whose largest logit is their label's.
    public var correct: Int
    /// Examples.
    public var count: Int

    /// Of an example.
    public var meanLoss: Double { lossSum / Double(count) }
    /// The share of examples whose largest logit is their label's.
    public var accuracy: Double { Double(correct) / Double(count) }

    package init(lossSum: Double, correct: Int, count: Int) {
        self.lossSum = lossSum
        self.correct = correct
        self.count = count
    }

    /// Adds what another batch gave.
    package mutating func add(_ other: BatchMetrics) {
        lossSum += other.lossSum
        correct += other.correct
        count += other.count
    }
}
