/// A picture as a list of marks, from the lowest to the topmost: laid out once, written as SVG or as pixels.
///
/// Positions and lengths are in points from the upper left corner; at scale 1 a point is a pixel.
struct Drawing {
    typealias Point = Bitmap.Point

    enum Mark {
        case line([Point], Stroke)
        case rectangle(from: Point, to: Point, colour: Colour, opacity: Double)
        /// One line of text; the position is on its base line.
        case text(String, at: Point, size: Double, anchor: TextAnchor, colour: Colour)
        /// Marks that belong together. SVG names them and says what they mean.
        case group([Mark], id: String, title: String)
    }

    var width: Int
    var height: Int
    /// What the picture shows, for readers that cannot see it.
    var title: String
    var marks: [Mark] = []

    mutating func addLine(_ points: Point..., stroke: Stroke) { marks.append(.line(points, stroke)) }

    mutating func addText(
        _ text: String, at position: Point, size: Double, anchor: TextAnchor = .start, colour: Colour = .black
    ) {
        marks.append(.text(text, at: position, size: size, anchor: anchor, colour: colour))
    }

    /// Adds a heading around the column `middle`, smaller if it is longer than the drawing is wide.
    mutating func addHeading(_ text: String, middle: Double) {
        guard !text.isEmpty else { return }
        let room = 2 * min(middle, Double(width) - middle) - 16
        let size = min(14, 14 * room / Bitmap.width(of: text, size: 14))
        addText(text, at: [middle, 22], size: size, anchor: .middle)
    }

    /// Adds the outline of a rectangle.
    mutating func addFrame(from upperLeft: Point, to lowerRight: Point, stroke: Stroke) {
        addLine(
            upperLeft, Point(lowerRight.x, upperLeft.y), lowerRight, Point(upperLeft.x, lowerRight.y),
            upperLeft,
            stroke: stroke)
    }

    /// Draws the marks on white.
    /// - Parameter scale: pixels a point, positive.
    func bitmap(scale: Double) -> Bitmap {
        var bitmap = Bitmap(
            width: Int((Double(width) * scale).rounded(.up)),
            height: Int((Double(height) * scale).rounded(.up)))
        draw(marks, scale: scale, on: &bitmap)
        return bitmap
    }

    private func draw(_ marks: [Mark], scale: Double, on bitmap: inout Bitmap) {
        for mark in marks {
            switch mark {
            case .line(let points, var stroke):
                stroke.width *= scale
                bitmap.stroke(points.map { $0 * scale }, stroke)
            case .rectangle(let upperLeft, let lowerRight, let colour, let opacity):
                bitmap.fill(from: upperLeft * scale, to: lowerRight * scale, colour: colour, opacity: opacity)
            case .text(let text, let position, let size, let anchor, let colour):
                bitmap.draw(text, at: position * scale, size: size * scale, anchor: anchor, colour: colour)
            case .group(let marks, _, _): draw(marks, scale: scale, on: &bitmap)
            }
        }
    }
}
