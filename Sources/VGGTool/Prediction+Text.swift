import VGGKit

extension Prediction {
    /// Prints the likeliest classes, below the file's name, or everything as one line of JSON.
    func show(as format: OutputFormat) throws {
        switch format {
        case .json: try Console.print(json: self)
        case .text:
            let guesses = top.map {
                "\(Text.right(Text.fixed(100 * $0.probability, 2), 6)) %  \(Self.printable($0.class))"
            }
            try Console.print(((file.map { [$0] } ?? []) + guesses).joined(separator: "\n"))
        }
    }

    /// A name from a file without what would steer a terminal.
    private static func printable(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
