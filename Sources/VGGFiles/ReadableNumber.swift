import Foundation

/// Large numbers as people read them.
package enum ReadableNumber {
    /// 43093322 as `43,093,322`.
    package static func grouped(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var end = digits.endIndex
        while let position = digits.index(end, offsetBy: -3, limitedBy: digits.startIndex),
            position > digits.startIndex
        {
            digits.insert(",", at: position)
            end = position
        }
        return number < 0 ? "-\(digits)" : digits
    }

    /// Bytes in decimal units, such as `2.77 GB`.
    package static func bytes(_ count: Int) -> String {
        let units = ["kB", "MB", "GB", "TB"]
        guard count >= 1000 else { return "\(count) B" }
        var value = Double(count) / 1000
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return String(format: "%.\(value < 10 ? 2 : value < 100 ? 1 : 0)f", value) + " " + units[unit]
    }
}
