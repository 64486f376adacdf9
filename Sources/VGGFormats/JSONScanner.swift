/// Reads the few JSON tokens a safetensors header is made of, strictly by RFC 8259.
struct JSONScanner {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    func problem(_ reason: String) -> SafetensorsError.Problem {
        .malformedHeader(reason: reason, offset: position)
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    /// Whether the next token is `character`, which is then passed over.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError.Problem) {
        guard skip(character) else { throw problem("expected '\(character)'") }
    }

    mutating func expectEnd() throws(SafetensorsError.Problem) {
        skipSpace()
        guard next == nil else { throw problem("expected the end of the header") }
    }

    /// An array of at most 64 integers, numpy's limit of dimensions, that are not negative and fit an `Int`.
    mutating func integers() throws(SafetensorsError.Problem) -> [Int] {
        var values: [Int] = []
        try expect("[")
        if skip("]") { return values }
        repeat {
            guard values.count < 64 else { throw problem("more than 64 dimensions") }
            values.append(try integer())
        } while skip(",")
        try expect("]")
        return values
    }

    private mutating func integer() throws(SafetensorsError.Problem) -> Int {
        skipSpace()
        let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0"),
            let value = Int(String(decoding: digits, as: UTF8.self))
        else { throw problem("expected a whole number, not negative and not too large") }
        position += digits.count
        return value
    }

    mutating func string() throws(SafetensorsError.Problem) -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw problem("the string before is not UTF-8")
                }
                position += 1
                return string
            case UInt8(ascii: "\\"):
                position += 1
                bytes.append(contentsOf: String(try escaped()).utf8)
            case 0..<0x20: throw problem("a control character in a string")
            default:
                bytes.append(byte)
                position += 1
            }
        }
        throw problem("a string does not end")
    }

    /// What stands after a backslash.
    private mutating func escaped() throws(SafetensorsError.Problem) -> Unicode.Scalar {
        guard let byte = next else { throw problem("a string does not end") }
        position += 1
        switch Unicode.Scalar(byte) {
        case "\"", "\\", "/": return Unicode.Scalar(byte)
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), next == UInt8(ascii: "\\") {
                position += 1
                guard next == UInt8(ascii: "u") else { throw problem("half of a surrogate pair") }
                position += 1
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw problem("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw problem("half of a surrogate pair") }
            return scalar
        default: throw problem("an unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(SafetensorsError.Problem) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw problem("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
