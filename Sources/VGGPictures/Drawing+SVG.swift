extension Drawing {
    /// The drawing as an SVG 1.1 document.
    ///
    /// Text stays text, which can be searched and read aloud; `textLength` makes it as long as the layout
    /// took it to be, whatever typeface the viewer has.
    func svg() -> String {
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-family="Helvetica, Arial, sans-serif">
            """,
            "<title>\(escaped(title))</title>",
            "<rect width=\"\(width)\" height=\"\(height)\" fill=\"\(Colour.white.hex)\"/>",
        ]
        lines += marks.map(element)
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    private func element(_ mark: Mark) -> String {
        switch mark {
        case .line(let points, let stroke):
            // A line of one point is drawn as a dot only if it has a (zero) length.
            let points = points.count == 1 ? points + points : points
            let pattern = stroke.dash.pattern.map { number($0 * stroke.width) }.joined(separator: " ")
            return """
                <polyline points="\(points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " "))" \
                fill="none" stroke="\(stroke.colour.hex)" stroke-width="\(number(stroke.width))" \
                stroke-linecap="round" stroke-linejoin="round"\
                \(pattern.isEmpty ? "" : " stroke-dasharray=\"\(pattern)\"")/>
                """
        case .rectangle(let upperLeft, let lowerRight, let colour, let opacity):
            let size = lowerRight - upperLeft
            return """
                <rect x="\(number(upperLeft.x))" y="\(number(upperLeft.y))" width="\(number(size.x))" \
                height="\(number(size.y))" fill="\(colour.hex)"\
                \(opacity == 1 ? "" : " fill-opacity=\"\(number(opacity))\"")/>
                """
        case .text(let text, let position, let size, let anchor, let colour):
            return """
                <text x="\(number(position.x))" y="\(number(position.y))" font-size="\(number(size))" \
                text-anchor="\(anchor)" fill="\(colour.hex)" \
                textLength="\(number(Bitmap.width(of: text, size: size)))" \
                lengthAdjust="spacingAndGlyphs">\(escaped(text))</text>
                """
        case .group(let marks, let id, let title):
            return """
                <g id="\(id)"><title>\(escaped(title))</title>
                \(marks.map(element).joined(separator: "\n"))
                </g>
                """
        }
    }

    /// A number with at most two decimals: a hundredth of a pixel cannot be seen.
    private func number(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    /// Text as XML 1.0 content; characters that XML does not have are left out.
    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
