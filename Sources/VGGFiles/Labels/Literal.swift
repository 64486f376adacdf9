/// A value as JSON or Python writes it.
enum Literal {
    case string(String)
    case integer(Int)
    case list([Literal])
    case dictionary([(key: Literal, value: Literal)])
    /// Anything else, as it is written: `None`, `true`, `0.5`.
    case other(String)

    /// Its members, if it is a dictionary whose keys are texts.
    func member(_ name: String) -> Literal? {
        guard case .dictionary(let members) = self else { return nil }
        return members.first { if case .string(name) = $0.key { true } else { false } }?.value
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }

    /// A number, or a text of digits alone.
    var number: Int? {
        switch self {
        case .integer(let number): number
        case .string(let text): text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
        default: nil
        }
    }
}

/// Reads the text of one JSON value, or of one of Python's: what is written the same way in both, quotes of either
/// kind, tuples, and commas and comments where only Python has them. Nothing in it is ever run.
struct LiteralParser {
    /// Deeper than any list of names.
    private static let maximumDepth = 16

    private let text: [Unicode.Scalar]
    private var position = 0

    /// - Returns: nil if the text does not begin as a list or a dictionary does, also after a variable's name (`names =`).
    init?(_ text: String) {
        self.text = Array(text.unicodeScalars)
        skipSpace()
        let start = position
        while let scalar = next, scalar.properties.isAlphabetic || "_. ".unicodeScalars.contains(scalar) {
            position += 1
        }
        if next == "=" { position += 1 } else { position = start }
        skipSpace()
        let follows = position + 1 < self.text.count ? self.text[position + 1] : " "
        guard let next,
            "{[".unicodeScalars.contains(next) || next == "(" && "'\"".unicodeScalars.contains(follows)
        else { return nil }
    }

    /// The value that is the whole text.
    /// - Throws: `LabelProblem` that says in which line it ends to be one.
    mutating func literal() throws(LabelProblem) -> Literal {
        let literal = try value(depth: 0)
        _ = skip(";")
        skipSpace()
        guard next == nil else { throw problem("something follows the list or dictionary") }
        return literal
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private func problem(_ reason: String) -> LabelProblem {
        let line = 1 + text.prefix(position).count { $0 == "\n" }
        return LabelProblem(
            "is neither JSON nor a Python dictionary, line \(line): \(reason); \(LabelProblem.expected)")
    }

    private mutating func skipSpace() {
        while let scalar = next {
            if scalar == "#" {
                while let scalar = next, scalar != "\n" { position += 1 }
            } else if scalar.properties.isWhitespace {
                position += 1
            } else {
                return
            }
        }
    }

    /// Whether this comes next, which is then passed over.
    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(LabelProblem) -> Literal {
        guard depth < Self.maximumDepth else { throw problem("lists in lists, too deep") }
        if skip("{") {
            var members: [(key: Literal, value: Literal)] = []
            while !skip("}") {
                if !members.isEmpty, !skip(",") { throw problem("expected ',' or '}'") }
                if skip("}") { break }
                let key = try value(depth: depth + 1)
                guard skip(":") else { throw problem("expected ':' after a key") }
                members.append((key, try value(depth: depth + 1)))
            }
            return .dictionary(members)
        }
        for (start, end) in [("[", "]"), ("(", ")")] as [(Unicode.Scalar, Unicode.Scalar)] where skip(start) {
            var elements: [Literal] = []
            while !skip(end) {
                if !elements.isEmpty, !skip(",") { throw problem("expected ',' or '\(end)'") }
                if skip(end) { break }
                elements.append(try value(depth: depth + 1))
            }
            return .list(elements)
        }
        return try scalar()
    }

    /// A text, a number or a word.
    private mutating func scalar() throws(LabelProblem) -> Literal {
        guard next != nil else { throw problem("it ends too early") }
        // Python 2 prints its texts as u'…'.
        if next == "u", position + 1 < text.count, "'\"".unicodeScalars.contains(text[position + 1]) {
            position += 1
        }
        if let quote = next, "'\"".unicodeScalars.contains(quote) {
            position += 1
            return .string(try string(until: quote))
        }
        let start = position
        while let scalar = next,
            scalar.properties.isAlphabetic || "0123456789+-._".unicodeScalars.contains(scalar)
        {
            position += 1
        }
        let word = String(String.UnicodeScalarView(text[start..<position]))
        if let number = Int(word) { return .integer(number) }
        guard ["true", "false", "null", "True", "False", "None"].contains(word) || Double(word) != nil else {
            throw problem("expected a text in quotes, or a number")
        }
        return .other(word)
    }

    private mutating func string(until quote: Unicode.Scalar) throws(LabelProblem) -> String {
        var result = String.UnicodeScalarView()
        while let scalar = next {
            position += 1
            switch scalar {
            case quote: return String(result)
            case "\n", "\r": throw problem("a text does not end in its line")
            case "\\": if let scalar = try escaped() { result.append(scalar) }
            default: result.append(scalar)
            }
        }
        throw problem("a text does not end")
    }

    /// What stands after a backslash; nil for a line break, which Python passes over.
    private mutating func escaped() throws(LabelProblem) -> Unicode.Scalar? {
        guard let scalar = next else { throw problem("a text does not end") }
        position += 1
        switch scalar {
        case "\n": return nil
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "a": return "\u{7}"
        case "v": return "\u{B}"
        case "x": return try code(digits: 2)
        case "u": return try code(digits: 4)
        case "U": return try code(digits: 8)
        case "0"..."7":
            position -= 1
            let digits = text[position...].prefix(3).prefix { ("0"..."7").contains($0) }
            position += digits.count
            return Unicode.Scalar(UInt32(String(String.UnicodeScalarView(digits)), radix: 8) ?? 0)
        case "\\", "\"", "'", "/": return scalar
        default: throw problem("\\\(scalar) is no escape that is known")
        }
    }

    /// A character by its code; of a surrogate pair both halves.
    private mutating func code(digits: Int) throws(LabelProblem) -> Unicode.Scalar {
        let high = try hexadecimal(digits)
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard digits == 4, text[position...].starts(with: "\\u".unicodeScalars) else {
            throw problem("half of a surrogate pair")
        }
        position += 2
        let low = try hexadecimal(4)
        guard (0xD800..<0xDC00).contains(high), (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else { throw problem("half of a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal(_ count: Int) throws(LabelProblem) -> UInt32 {
        let digits = String(String.UnicodeScalarView(text[position...].prefix(count)))
        guard digits.unicodeScalars.count == count, digits.allSatisfy(\.isHexDigit),
            let code = UInt32(digits, radix: 16)
        else { throw problem("expected \(count) hexadecimal digits") }
        position += count
        return code
    }
}
