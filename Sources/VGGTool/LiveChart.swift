import VGGKit

/// The curves of a training on a terminal, which grow in place, below the lines that are printed meanwhile.
struct LiveChart {
    private let configuration: TrainingConfiguration
    private let folder: RunFolder
    private var metrics: [MetricsRecord]
    private let clock = ContinuousClock()
    private var drawn: ContinuousClock.Instant?
    /// The lines of the chart that are on the terminal now.
    private var lines = 0

    private static let height = 16

    /// - Returns: nil where nothing can be drawn anew, or where there is no room for it.
    init?(_ configuration: TrainingConfiguration, _ folder: RunFolder) {
        guard Console.isTerminal, Console.isColoured, (Console.outputRows ?? 0) >= Self.height + 8 else {
            return nil
        }
        self.configuration = configuration
        self.folder = folder
        // A run that goes on has some.
        metrics = (try? folder.readMetrics()) ?? []
    }

    mutating func add(_ record: MetricsRecord) { metrics.append(record) }

    /// Whether it is time to draw again: at most once a second.
    var isDue: Bool { drawn.map { clock.now - $0 >= .seconds(1) } ?? true }

    /// Draws the chart, over the one that is there.
    mutating func draw() throws(OutputError) {
        guard !metrics.isEmpty else { return }
        drawn = clock.now
        let width = min((Console.outputColumns ?? 80) - 1, 79)
        let text = folder.curves(metrics, configuration)
            .terminalText(width: width, height: Self.height, isColoured: true)
        try Console.print(chart: text, over: lines)
        lines = Self.height + 1
    }

    /// Takes the chart away, so that lines can be printed in its place.
    mutating func remove() throws(OutputError) {
        try Console.remove(lines: lines)
        lines = 0
    }
}
