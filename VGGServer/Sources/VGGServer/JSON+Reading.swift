import Foundation

/// Why a text is not JSON.
package struct JSONError: Error, CustomStringConvertible {
    /// How many bytes are before the fault.
    package var place: Int
    package var reason: String
    /// There was no memory for so many bytes more; nil if the text is at fault.
    package var lackingBytes: Int?

    package var description: String { "\(reason) at byte \(place)" }
}

extension JSON {
    /// Reads one value and nothing after it.
    /// - Parameter share: takes the memory for the value, which may be many times the text, as it is read; nil where it is
    ///   nobody's affair.
    /// - Throws: `JSONError`, also for values more than 32 deep, for numbers too large for a double, for texts that are
    ///   not UTF-8, and if there is no memory.
    package init(reading bytes: ArraySlice<UInt8>, share: BodyMemory.Share? = nil) throws(JSONError) {
        var reader = JSONReader(bytes, share)
        self = try reader.document()
        try reader.takeCounted()
    }

    /// Bytes that values take at most: what they are, what the heap adds, and what grows by doubling leaves empty.
    fileprivate enum Size {
        static let number = 2 * MemoryLayout<Double>.stride
        static let value = 2 * MemoryLayout<JSON>.stride
        static let array = 64
        static let object = 192
        static let member = 4 * (MemoryLayout<String>.stride + MemoryLayout<JSON>.stride)
        static let text = 64
        /// The text, and what is made of one in base 64, twice.
        static let character = 3
    }
}

private struct JSONReader {
    private let bytes: ArraySlice<UInt8>
    private var place: Int
    private let share: BodyMemory.Share?
    /// Bytes that were needed since the share was asked last.
    private var counted = 0

    init(_ bytes: ArraySlice<UInt8>, _ share: BodyMemory.Share?) {
        (self.bytes, self.share) = (bytes, share)
        place = bytes.startIndex
    }

    /// Takes the memory for so many bytes more, some thousand at a time.
    private mutating func count(_ bytes: Int) throws(JSONError) {
        counted += bytes
        if counted >= 1 << 16 { try takeCounted() }
    }

    mutating func takeCounted() throws(JSONError) {
        guard share?.takes(counted) ?? true else {
            throw JSONError(
                place: place - bytes.startIndex, reason: "there is no memory", lackingBytes: counted)
        }
        counted = 0
    }

    /// Zero, which is nothing of JSON's, at the end.
    private var next: UInt8 { place < bytes.endIndex ? bytes[place] : 0 }

    private func fault(_ reason: String) -> JSONError {
        JSONError(place: place - bytes.startIndex, reason: reason)
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.endIndex else { throw fault("there is something after the JSON value") }
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
        default: throw fault(place == bytes.endIndex ? "JSON ends too early" : "there is no JSON value")
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
        try count(JSON.Size.object)
        var members: [String: JSON] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a member has no name") }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw fault("a member has no colon") }
            try count(JSON.Size.member)
            members[name] = try value(depth: depth + 1)
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw fault("an object has no end") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        place += 1
        try count(JSON.Size.array)
        var numbers: [Double] = []
        var elements: [JSON] = []
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            let element = try value(depth: depth + 1)
            if case .number(let number) = element, elements.isEmpty {
                try count(JSON.Size.number)
                numbers.append(number)
            } else {
                try count(JSON.Size.value)
                if elements.isEmpty, !numbers.isEmpty {
                    try count(numbers.count * JSON.Size.value)
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
            // What strtod would read on as hexadecimal is no number of JSON's either.
            guard !isDigit(next), next | 0x20 != UInt8(ascii: "x") else {
                throw fault("a number begins with a needless zero")
            }
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
        let value: Double
        if place == bytes.endIndex {
            // Behind the last number there may be anything.
            value = Double(String(decoding: bytes[start...], as: UTF8.self)) ?? .nan
        } else {
            let offset = start - bytes.startIndex
            value = bytes.withUnsafeBytes { memory in
                memory.baseAddress.map { strtod($0.assumingMemoryBound(to: CChar.self) + offset, nil) }
                    ?? .nan
            }
        }
        guard value.isFinite else {
            place = start
            throw fault("a number is too large")
        }
        return value
    }

    private mutating func string() throws(JSONError) -> String {
        place += 1
        try count(JSON.Size.text)
        var text: [UInt8] = []
        while true {
            let start = place
            while next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"), next >= 0x20 { place += 1 }
            try count(JSON.Size.character * (place - start))
            text += bytes[start..<place]
            if next == UInt8(ascii: "\"") { break }
            guard next == UInt8(ascii: "\\") else { throw fault("a text has no end, or a control character") }
            place += 1
            let character = try escaped().utf8
            try count(JSON.Size.character * character.count)
            text += character
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
            if UTF16.isLeadSurrogate(units[0]), bytes[place...].starts(with: "\\u".utf8) {
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
