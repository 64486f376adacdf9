import Foundation

/// A sans-serif typeface made of lines of one thickness, so that text needs no font library.
///
/// Widths are close to those of Helvetica and Arial, which viewers put in the place of SVG's `sans-serif`:
/// text takes about the same room in both kinds of picture.
enum StrokeFont {
    typealias Point = Bitmap.Point

    struct Glyph: Sendable {
        /// How far the next letter is moved, in font units.
        var advance: Double
        /// Lines in font units: x from the left, y upwards from the base line.
        var lines: [[Point]]
    }

    /// Font units in one em, the nominal text size. Capitals are 10 units high.
    static let unitsPerEm = 14.0
    static let capitalHeight = 10.0 / unitsPerEm
    /// The thickness of the lines, in em.
    static let weight = 1.12 / unitsPerEm

    /// Room between letters beyond what the outlines have, in font units: small text needs it.
    private static let tracking = 0.35

    private static let glyphs: [Character: Glyph] = Dictionary(
        outlines.map { ($0.character, Glyph(advance: $0.advance + tracking, lines: lines(of: $0.path))) },
        uniquingKeysWith: { first, _ in first })

    /// An empty box, for letters the font does not have.
    private static let missing = Glyph(
        advance: 8, lines: [[Point(1.2, 0), Point(1.2, 10), Point(6.8, 10), Point(6.8, 0), Point(1.2, 0)]])

    static func glyph(for character: Character) -> Glyph { glyphs[character] ?? missing }

    /// The length of one line of text of size 1.
    static func width(of text: String) -> Double {
        text.reduce(0) { $0 + glyph(for: $1).advance } / unitsPerEm
    }

    /// Reads a path: letters, each followed by its numbers, with spaces between.
    ///
    ///     M x y       starts a line
    ///     L x y       straight on
    ///     H x y       a quarter of an ellipse that sets out horizontally and arrives vertically
    ///     V x y       a quarter of an ellipse that sets out vertically and arrives horizontally
    ///     Q u v x y   a parabola with the control point (u, v)
    static func lines(of path: String) -> [[Point]] {
        var lines: [[Point]] = []
        var words = path.split(separator: " ")[...]
        func number() -> Double { words.popFirst().flatMap { Double($0) } ?? .nan }
        while let command = words.popFirst() {
            var control = Point()
            if command == "Q" { control = Point(number(), number()) }
            let end = Point(number(), number())
            guard command != "M", let start = lines.last?.last else {
                lines.append([end])
                continue
            }
            let steps = command == "L" ? 1 : 8
            for step in 1...steps {
                let t = Double(step) / Double(steps)
                let sine = sin(t * .pi / 2)
                let cosine = cos(t * .pi / 2)
                let point =
                    switch command {
                    case "H": Point(start.x + (end.x - start.x) * sine, end.y + (start.y - end.y) * cosine)
                    case "V": Point(end.x + (start.x - end.x) * cosine, start.y + (end.y - start.y) * sine)
                    case "Q": start * ((1 - t) * (1 - t)) + control * (2 * t * (1 - t)) + end * (t * t)
                    default: end
                    }
                lines[lines.count - 1].append(point)
            }
        }
        return lines
    }
}
