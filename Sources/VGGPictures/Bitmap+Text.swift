/// Which point of a line of text a position means.
package enum TextAnchor: Hashable, Sendable {
    /// Its left end, its middle or its right end.
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
    ///   - isUpward: whether the line runs from the bottom to the top, as on the side of a book.
    package mutating func draw(
        _ text: String, at position: Point, size: Double, anchor: TextAnchor = .start,
        colour: Colour = .black,
        isUpward: Bool = false
    ) {
        let scale = size / StrokeFont.unitsPerEm
        let (along, up) = isUpward ? (Point(0, -1), Point(-1, 0)) : (Point(1, 0), Point(0, -1))
        var start = position + along * (anchor.offset * Bitmap.width(of: text, size: size))
        for character in text {
            let glyph = StrokeFont.glyph(for: character)
            let lines = glyph.lines.map { line in
                line.map { start + (along * $0.x + up * $0.y) * scale }
            }
            stroke(lines, colour: colour, width: StrokeFont.weight * size)
            start += along * (glyph.advance * scale)
        }
    }

    /// The length in pixels of one line of text of this size.
    package static func width(of text: String, size: Double) -> Double { StrokeFont.width(of: text) * size }

    /// One line of text, and where that is longer than so many pixels, as much of its beginning as there is room for.
    static func shortened(_ text: String, size: Double, to room: Double) -> String {
        guard width(of: text, size: size) > room else { return text }
        var length = width(of: "…", size: size)
        let kept = text.prefix { character in
            length += width(of: String(character), size: size)
            return length <= room
        }
        return kept + "…"
    }
}
