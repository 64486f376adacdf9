import ArgumentParser

/// The last step of `make bench`, not for people.
struct ChartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chart",
        abstract: "Draw what make bench found.",
        discussion: "Example: vgg chart docs/benchmarks.json --output docs/benchmarks.svg",
        shouldDisplay: false)

    @Argument(help: "A file of results, as make bench writes it.")
    var file: String

    @Option(help: "The SVG file to draw.")
    var output: String

    func run() throws { try Comparison(readingFrom: file).draw(to: output) }
}
