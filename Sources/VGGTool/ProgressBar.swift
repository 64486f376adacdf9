/// A line on a terminal that is redrawn in place.
struct ProgressBar {
    private let clock = ContinuousClock()
    private var drawn: ContinuousClock.Instant?

    /// Whether it is time to draw again: at most ten times a second.
    mutating func isDue() -> Bool {
        let now = clock.now
        if let drawn, now - drawn < .milliseconds(100) { return false }
        drawn = now
        return true
    }

    /// Draws a bar between the texts, as wide as fits.
    func draw(_ before: String, _ fraction: Double, _ after: String) {
        let room = Console.columns - before.count - after.count - 3
        let bar = room >= 5 ? " \(Self.bar(fraction, width: min(room, 40))) " : " "
        Console.write("\r" + String((before + bar + after).prefix(Console.columns - 1)) + "\u{1B}[K")
    }

    /// Takes the line away, so that other lines can be printed.
    func clear() { Console.write("\r\u{1B}[K") }

    static func bar(_ fraction: Double, width: Int) -> String {
        let full = Int((Double(width) * min(max(fraction, 0), 1)).rounded())
        return String(repeating: "━", count: full) + String(repeating: "╌", count: width - full)
    }
}
