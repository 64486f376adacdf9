import Foundation
import Testing
import VGGPictures

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The texts and lines of an SVG document, read with an XML parser.
struct SVG {
    struct Line {
        var colour: String?
        var dashes: String?
        var points: [SIMD2<Double>]
    }

    var texts: [String] = []
    var lines: [Line] = []
    var rectangles: [[String: String]] = []

    /// - Throws: if the document is not well-formed.
    init(_ document: String) throws {
        let reader = Reader()
        let parser = XMLParser(data: Data(document.utf8))
        parser.delegate = reader
        try #require(parser.parse(), "\(String(describing: parser.parserError))")
        self = reader.svg
    }

    private init() {}

    func lines(of colour: Colour) -> [Line] {
        let hex = [colour.red, colour.green, colour.blue].map { String(format: "%02x", Int($0)) }.joined()
        return lines.filter { $0.colour == "#\(hex)" }
    }

    private final class Reader: NSObject, XMLParserDelegate {
        var svg = SVG()
        private var text = ""

        func parser(
            _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String]
        ) {
            text = ""
            if element == "rect" { svg.rectangles.append(attributes) }
            guard element == "polyline" else { return }
            let points = (attributes["points"] ?? "").split(separator: " ").map { pair in
                let numbers = pair.split(separator: ",").map { Double($0) ?? .nan }
                return SIMD2(numbers[0], numbers[1])
            }
            svg.lines.append(
                Line(colour: attributes["stroke"], dashes: attributes["stroke-dasharray"], points: points))
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

        func parser(
            _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
        ) {
            if element == "text" { svg.texts.append(text) }
        }
    }
}
