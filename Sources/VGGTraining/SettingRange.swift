import VGGEngine

/// What whole numbers may be that people set: far above any use, and low enough that no product of them
/// overflows.
package enum SettingRange {
    package static let batchSize = 1...Plan.largestBatch
    package static let epochs = 1...1_000_000
    /// Of steps or examples.
    package static let count = 1...1_000_000_000_000
    package static let threads = 1...1024
    /// Of a benchmark, which keeps the times of every one.
    package static let measuredSteps = 1...1_000_000
}

extension ClosedRange<Int> {
    /// What is wrong with the value, to stand after a setting's name; nil if it is in the range.
    package func objection(to value: Int) -> String? {
        contains(value) ? nil : "must be between \(lowerBound) and \(upperBound), not \(value)"
    }
}
