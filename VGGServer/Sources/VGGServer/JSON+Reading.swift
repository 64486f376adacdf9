import Foundation

/// Why a text is not JSON.
package struct JSONError: Error, CustomStringConvertible {
    /// How many bytes are before the fault.
    package var place: Int
    package var reason: String

    package var description: String { "\(reason) at byte \(place)" }
}

extension JSON {
    /// Reads one value and nothing after it.
    /// - Throws: `JSONError`, also for values more than 32 deep, for numbers too large for a double and for texts that are
    ///   not UTF-8.
    package init(reading bytes: ArraySlice<UInt8>) throws(JSONError) {
        // The end mark spares the reader the question, at every byte, whether it is the last, and ends what strtod reads.
        var reader = JSONReader(bytes: Array(bytes) + [0])
        self = try reader.document()
    }
}

private struct JSONReader {
    /// The text and a zero.
    let bytes: [UInt8]
    private var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8 { bytes[place] }

    private func fault(_ reason: String) -> JSONError { JSONError(place: place, reason: reason) }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count - 1 else { throw fault("there is something after the JSON value") }
        return value
    }

    private mutating func skipSpace() {
        while next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { place += 1 }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth <= 32 else { throw fault("JSON is nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw fault(place == bytes.count - 1 ? "JSON ends too early" : "there is no JSON value")
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for offset in 0..<text.utf8CodeUnitCount {
            guard next == text.utf8Start[offset] else { throw fault("there is no JSON value") }
            place += 1
        }
        return value
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        place += 1
        var members: [String: JSON] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a member has no name") }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw fault("a member has no colon") }
            members[name] = try value(depth: depth + 1)
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw fault("an object has no end") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        place += 1
        var numbers: [Double] = []
        var elements: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            let element = try value(depth: depth + 1)
            if case .number(let number) = element, elements.isEmpty {
                numbers.append(number)
            } else {
                if elements.isEmpty, !numbers.isEmpty {
                    elements = numbers.map(JSON.number)
                    numbers = []
                }
                elements.append(element)
            }
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw fault("an array has no end") }
        return numbers.isEmpty ? .array(elements) : .numbers(numbers)
    }

    private mutating func digits() throws(JSONError) {
        let start = place
        while isDigit(next) { place += 1 }
        guard place > start else { throw fault("a number lacks a digit") }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func number() throws(JSONError) -> Double {
        let start = place
        if next == UInt8(ascii: "-") { place += 1 }
        if next == UInt8(ascii: "0") {
            place += 1
            guard !isDigit(next) else { throw fault("a number begins with a needless zero") }
        } else {
            try digits()
        }
        if next == UInt8(ascii: ".") {
            place += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            try digits()
        }
        let value = bytes.withUnsafeBytes { memory in
            memory.baseAddress.map { strtod($0.assumingMemoryBound(to: CChar.self) + start, nil) } ?? .nan
        }
        guard value.isFinite else { throw JSONError(place: start, reason: "a number is too large") }
        return value
    }

    private mutating func string() throws(JSONError) -> String {
        place += 1
        var text: [UInt8] = []
        while true {
            let start = place
            while next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"), next >= 0x20 { place += 1 }
            text += bytes[start..<place]
            if next == UInt8(ascii: "\"") { break }
            guard next == UInt8(ascii: "\\") else { throw fault("a text has no end, or a control character") }
            place += 1
            text += try escaped().utf8
        }
        place += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw fault("a text is not UTF-8") }
        return string
    }

    private mutating func escaped() throws(JSONError) -> String {
        let mark = next
        place += 1
        switch mark {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return String(UnicodeScalar(mark))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var units = [try unit()]
            if UTF16.isLeadSurrogate(units[0]), next == UInt8(ascii: "\\"),
                bytes[place + 1] == UInt8(ascii: "u")
            {
                place += 2
                units.append(try unit())
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw fault("half a character is escaped")
            }
            return text
        default: throw fault("an escape is none of JSON's")
        }
    }

    /// The four digits after `\u`.
    private mutating func unit() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(next)).hexDigitValue else {
                throw fault("an escape lacks a digit")
            }
            value = value << 4 | UInt16(digit)
            place += 1
        }
        return value
    }
}
