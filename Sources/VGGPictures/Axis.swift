import Foundation

/// A range of numbers on a chart, and the round numbers in it that are labelled.
struct Axis {
    let range: ClosedRange<Double>
    let ticks: [(value: Double, label: String)]
    /// Whether equal distances are equal factors.
    private let isLogarithmic: Bool

    /// - Parameters:
    ///   - range: what is shown; a range of (nearly) no length is widened.
    ///   - count: about how many ticks fit.
    ///   - isWhole: whether ticks stand at whole numbers only.
    init(_ range: ClosedRange<Double>, ticks count: Int, isWhole: Bool = false) {
        var range = range
        let largest = max(abs(range.lowerBound), abs(range.upperBound))
        // Below that length there is no room for ticks between the numbers a Double has.
        if range.upperBound - range.lowerBound <= max(largest, 1e-100) * 1e-12 {
            let margin = max(largest / 10, 0.5)
            range = range.lowerBound - margin...range.upperBound + margin
        }
        self.range = range
        isLogarithmic = false
        let step = Self.roundStep(
            (range.upperBound - range.lowerBound) / Double(max(count, 1)), isWhole: isWhole)
        let first = (range.lowerBound / step - 1e-9).rounded(.up)
        let last = (range.upperBound / step + 1e-9).rounded(.down)
        ticks = stride(from: first, through: last, by: 1).map { index in
            // Adding 0 makes 0 of -0.
            (index * step, Self.label(index * step + 0, step: step))
        }
    }

    /// An axis on which equal distances are equal factors, with powers of ten labelled.
    /// - Parameters:
    ///   - range: of numbers above 0.
    ///   - count: about how many ticks fit.
    init(logarithmic range: ClosedRange<Double>, ticks count: Int) {
        self.range = range
        isLogarithmic = true
        let (first, last) = (log10(range.lowerBound), log10(range.upperBound))
        let step = max(1, ((last - first) / Double(max(count, 1))).rounded(.up))
        ticks = stride(from: (first - 1e-9).rounded(.up), through: last + 1e-9, by: step).map { exponent in
            (
                pow(10, exponent),
                -4..<4 ~= exponent ? String(format: "%g", pow(10, exponent)) : "1e\(Int(exponent))"
            )
        }
    }

    /// An axis for values that a line goes through, with a little room at both ends.
    static func around(_ values: [Double], ticks count: Int) -> Axis {
        guard let least = values.min(), let greatest = values.max() else { return Axis(0...1, ticks: count) }
        let margin = (greatest - least) * 0.05
        return Axis(least - margin...greatest + margin, ticks: count)
    }

    /// Where `value` is, from 0 at the lower to 1 at the upper end.
    func position(_ value: Double) -> Double {
        isLogarithmic
            ? log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
            : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    /// The least of 1, 2, 5, 10, 20… (and of 0.5, 0.2, 0.1…) that is not below `least`.
    private static func roundStep(_ least: Double, isWhole: Bool) -> Double {
        let least = isWhole ? max(least, 1) : least
        let magnitude = pow(10, log10(least).rounded(.down))
        let factor = [1, 2, 5].first { $0 * magnitude >= least * (1 - 1e-9) } ?? 10
        return factor * magnitude
    }

    private static func label(_ value: Double, step: Double) -> String {
        let decimals = max(0, Int(-log10(step * 1.0001).rounded(.down)))
        if decimals > 4 || abs(value) >= 1e6 { return String(format: "%g", value) }
        return String(format: "%.\(decimals)f", value)
    }
}
