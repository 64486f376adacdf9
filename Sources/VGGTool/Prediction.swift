import Foundation
import VGGKit

/// What a network says about one image.
struct Prediction: Encodable {
    struct Guess: Encodable {
        /// The class's number: that of its output, but of two classes that a single output tells apart the second is
        /// the one it speaks for.
        var label: Int
        /// The class's name; its number, if it has none.
        var `class`: String
        var probability: Double
    }

    /// The photo's file; nil for a test image.
    var file: String?
    /// The likeliest classes, the likeliest first.
    var top: [Guess]
    var logits: [Float]
    /// What the data set says a test image is.
    var actual: String?

    /// - Parameter names: of the classes; fewer, or none, if not all have one. A single output's may be two.
    init(file: String? = nil, logits: [Float], names: [String], top: Int) {
        self.file = file
        self.logits = logits
        let probabilities = logits.count == 1 ? Self.sigmoid(logits[0], names) : Self.softmax(logits)
        self.top = probabilities.enumerated().sorted { $0.element > $1.element }.prefix(top).map {
            Guess(
                label: $0.offset, class: $0.offset < names.count ? names[$0.offset] : "\($0.offset)",
                probability: $0.element)
        }
    }

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

    /// The probability of what a single output speaks for, after that of the other class if that has a name.
    private static func sigmoid(_ logit: Float, _ names: [String]) -> [Double] {
        let other = 1 / (1 + exp(Double(logit)))
        return names.count == 2 ? [other, 1 / (1 + exp(-Double(logit)))] : [1 / (1 + exp(-Double(logit)))]
    }

    private static func softmax(_ logits: [Float]) -> [Double] {
        let largest = Double(logits.max() ?? 0)
        let powers = logits.map { exp(Double($0) - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}
