/// Which point of a line of text a position means.
public enum TextAnchor: Hashable, Sendable {
    case start, middle, end

    /// Where the text begins, in widths of the text.
    var offset: Double {
        switch self {
        case .start: 0
        case .middle: -0.5
        case .end: -1
        }
    }
}

extension Bitmap {
    /// Draws one line of text.
    /// - Parameters:
    ///   - position: the start, middle or end of the base line.
    ///   - size: the nominal text size (one em) in pixels; capitals are 10/14 of it high.
    public mutating func draw(
        _ text: String, at position: Point, size: Double, anchor: TextAnchor = .start, colour: Colour = .black
    ) {
        let scale = size / StrokeFont.unitsPerEm
        var start = position
        start.x += anchor.offset * Bitmap.width(of: text, size: size)
        for character in text {
            let glyph = StrokeFont.glyph(for: character)
            let lines = glyph.lines.map { line in
                line.map { start + Point($0.x, -$0.y) * scale }
            }
            stroke(lines, colour: colour, width: StrokeFont.weight * size)
            start.x += glyph.advance * scale
        }
    }

    /// The length in pixels of one line of text of this size.
    public static func width(of text: String, size: Double) -> Double { StrokeFont.width(of: text) * size }
}
