import Foundation

/// A command in a block of a document, and what it prints:
///
///     $ vgg summary            # the shell's comments may stand behind a command
///     Sequential           output shape: [1, 64, 112, 112]
///     …
///     # long: twenty minutes
///     $ vgg train --size 96
///     # not run: the photos are yours
///     $ vgg predict vgg16.pth cat.jpg
///
/// The lines below a command are all that it prints: `…` alone stands for any lines and within a line for any text,
/// and a number behind `≈` for one that the machine decides. A line `# long: WHY` or `# not run: WHY` holds for
/// the rest of its block: `make check-docs` runs the long commands too, and nothing runs the others.
struct DocumentCommand: Sendable {
    enum Effort: Equatable {
        case seconds, long, notRun
    }

    var text: String
    var effort: Effort
    /// The number of its line in the document.
    var line: Int
    var output: [String] = []

    static func all(in block: Document.Block) -> [DocumentCommand] {
        var commands: [DocumentCommand] = []
        var effort = Effort.seconds
        for (index, line) in block.lines.enumerated() {
            if line.hasPrefix("$ ") {
                commands.append(
                    DocumentCommand(text: String(line.dropFirst(2)), effort: effort, line: block.line + index)
                )
            } else if line.hasPrefix("# long: ") {
                effort = .long
            } else if line.hasPrefix("# not run: ") {
                effort = .notRun
            } else if let last = commands.indices.last {
                commands[last].output.append(line)
            }
        }
        return commands
    }

    /// The first line of the document that `printed` does not have where it should, with what stands there
    /// instead; nil if all is as the document shows it.
    func mismatch(_ printed: [String]) -> String? {
        var furthest = (expected: 0, printed: 0)
        func agree(_ expected: Int, _ place: Int) -> Bool {
            if (expected, place) > furthest { furthest = (expected, place) }
            guard expected < output.count else { return place == printed.count }
            if output[expected] == "…" { return (place...printed.count).contains { agree(expected + 1, $0) } }
            return place < printed.count && Self.shows(output[expected], printed[place])
                && agree(expected + 1, place + 1)
        }
        guard !agree(0, 0) else { return nil }
        let wanted = furthest.expected < output.count ? output[furthest.expected] : "nothing more"
        let found = furthest.printed < printed.count ? printed[furthest.printed] : "nothing more"
        return
            "line \(line + 1 + furthest.expected) shows \"\(wanted)\", and what is printed has \"\(found)\""
    }

    /// Whether a line of a document stands for a line that was printed.
    private static func shows(_ line: String, _ printed: String) -> Bool {
        var pattern = ""
        var rest = line[...]
        while let match = rest.firstMatch(of: /…|≈[0-9]+([.,][0-9]+)*/) {
            pattern += NSRegularExpression.escapedPattern(for: String(rest[..<match.range.lowerBound]))
            pattern += match.0 == "…" ? ".*" : "[0-9]+([.,][0-9]+)*"
            rest = rest[match.range.upperBound...]
        }
        pattern += NSRegularExpression.escapedPattern(for: String(rest))
        return printed.range(of: "^\(pattern)$", options: .regularExpression) != nil
    }
}
