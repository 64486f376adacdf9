import Foundation
import VGGFiles

/// What a network says about one image.
public struct Prediction: Hashable, Sendable, Encodable {
    /// A class and how likely it is.
    public struct Guess: Hashable, Sendable, Encodable {
        /// The class's number: that of its output, but of two classes that a single output tells apart the second is
        /// the one it speaks for.
        public var label: Int
        /// The class's name; its number, if it has none.
        public var `class`: String
        /// 0 to 1, by a softmax over all classes; by a sigmoid where there is a single output.
        public var probability: Double
    }

    /// The photo's file; nil for a test image.
    public var file: String?
    /// The data set of a test image.
    public var data: String?
    /// The number of a test image, counted from 0.
    public var index: Int?
    /// The likeliest classes, the likeliest first.
    public var top: [Guess]
    /// What the network says itself, one number an output; of several views the logarithms of their mean probabilities.
    public var logits: [Float]
    /// The views, as `--tta` names them; nil for the picture as it is.
    public var tta: String?
    /// What the data set says a test image is.
    public var actual: String?

    /// - Parameters:
    ///   - names: of the classes; fewer, or none, if not all have one. A single output's may be two.
    ///   - top: of so many classes at most.
    public init(file: String? = nil, logits: [Float], names: [String], top: Int) {
        self.file = file
        self.logits = logits
        var probabilities = Self.probabilities(logits)
        // What a single output does not speak for has no number, unless it has a name.
        if logits.count == 1, names.count != 2 { probabilities.removeFirst() }
        self.top = probabilities.enumerated().sorted { $0.element > $1.element }.prefix(max(0, top)).map {
            Guess(
                label: $0.offset, class: $0.offset < names.count ? names[$0.offset] : "\($0.offset)",
                probability: $0.element)
        }
    }

    /// One line of JSON, without the line break: what `vgg predict` prints and a server answers.
    public var json: String { get throws { try JSONText.line(self) } }

    /// The probability of each class, by a softmax; of a single output, by a sigmoid, that of what it speaks for after that
    /// of the other class.
    package static func probabilities(_ logits: some Collection<Float>) -> [Double] {
        if let logit = logits.first, logits.count == 1 {
            return [1 / (1 + exp(Double(logit))), 1 / (1 + exp(-Double(logit)))]
        }
        let largest = Double(logits.max() ?? 0)
        let powers = logits.map { exp(Double($0) - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}
