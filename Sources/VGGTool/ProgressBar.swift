/// A line on a terminal that is redrawn in place, without any control but a carriage return.
struct ProgressBar {
    private let clock = ContinuousClock()
    private var drawn: ContinuousClock.Instant?
    /// The characters of the line that is there now.
    private var length = 0

    /// Whether it is time to draw again: at most ten times a second.
    mutating func isDue() -> Bool {
        let now = clock.now
        if let drawn, now - drawn < .milliseconds(100) { return false }
        drawn = now
        return true
    }

    /// Draws what is going on, a bar, and as many of the figures as fit, the most important first.
    /// - Parameter fraction: nil if the whole is not known.
    mutating func draw(_ name: String, _ fraction: Double?, _ figures: [String]) {
        let line = Self.line(name, fraction, figures, width: Console.columns - 1)
        Console.write("\r" + Text.left(line, length))
        length = line.count
    }

    /// Takes the line away, so that other lines can be printed.
    mutating func clear() {
        guard length > 0 else { return }
        Console.write("\r" + String(repeating: " ", count: length) + "\r")
        length = 0
    }

    static func line(_ name: String, _ fraction: Double?, _ figures: [String], width: Int) -> String {
        // A bar that is shorter says nothing; a longer one no more.
        let (shortest, longest) = (fraction == nil ? 0 : 8, 40)
        var figures = figures
        func text() -> String { figures.map { " \($0)" }.joined(separator: " ") }
        while !figures.isEmpty, name.count + 1 + shortest + text().count > width { figures.removeLast() }
        let room = width - text().count - 1
        guard let fraction, room - shortest >= 4 else { return String((name + text()).prefix(max(0, width))) }
        let name = name.count + shortest <= room ? name : name.prefix(room - shortest - 1) + "…"
        return name + " " + bar(fraction, width: min(room - name.count, longest)) + text()
    }

    private static func bar(_ fraction: Double, width: Int) -> String {
        let full = Int((Double(width) * min(max(fraction, 0), 1)).rounded())
        return String(repeating: "━", count: full) + String(repeating: "╌", count: width - full)
    }
}
