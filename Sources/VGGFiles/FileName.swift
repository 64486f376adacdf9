import Foundation

/// Names and paths of files as text, whatever their bytes are.
///
/// A name is bytes; nearly always they are UTF-8, and the text is what they say. A byte that is not stands in the text
/// as `\x` and two hexadecimal digits, `g\xe4nse`, as shells and Python write it. A backslash that could be
/// taken for such an escape stands as `\x5c`. So every name has a text of its own, and is found again by it:
/// such texts go through JSON, errors and lists of classes like any other.
public enum FileName {
    /// The text of a name or a path.
    public static func text(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !text.contains("\\x") { return text }
        var text = ""
        for (scalar, part) in scalars(of: bytes) {
            let isEscape = scalar == "\\" && escape(bytes[part.lowerBound...]) != nil
            if let scalar, !isEscape {
                text.unicodeScalars.append(scalar)
            } else {
                for byte in bytes[part] { text += "\\x" + String(byte, radix: 16) }
            }
        }
        return text
    }

    /// The bytes of the name or path that has this text.
    public static func bytes(_ text: String) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(rest.count)
        while let first = rest.first {
            if let byte = escape(rest) {
                bytes.append(byte)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(first)
                rest = rest.dropFirst()
            }
        }
        return bytes
    }

    /// A path from the root, without `.` and `..`; links are not looked at.
    public static func absolute(_ path: String) -> String {
        var parts: [Substring.UTF8View] = []
        let isWhole = path.utf8.first == 0x2F
        for part in (isWhole ? path : "\(currentFolder)/\(path)").utf8.split(separator: 0x2F)
        where !part.elementsEqual([0x2E]) {
            if part.elementsEqual([0x2E, 0x2E]) { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.map { String(Substring($0)) }.joined(separator: "/")
    }

    private static var currentFolder: String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return text(UnsafeRawBufferPointer(start: path, count: strlen(path)).map { $0 })
    }

    /// Python's order, by code points; bytes that are not UTF-8 count as Python's surrogate escapes (PEP 383).
    public static func sorted<Element>(_ elements: [Element], by name: (Element) -> String) -> [Element] {
        elements.map { (element: $0, key: sortKey(name($0))) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.element)
    }

    private static func sortKey(_ name: String) -> [UInt32] {
        let bytes = bytes(name)
        return scalars(of: bytes).flatMap { scalar, part in
            scalar.map { [$0.value] } ?? bytes[part].map { 0xDC00 + UInt32($0) }
        }
    }

    /// The characters that the bytes are, and where; nil for bytes that are none.
    private static func scalars(of bytes: [UInt8]) -> [(scalar: Unicode.Scalar?, part: Range<Int>)] {
        var parser = UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var place = 0
        var result: [(Unicode.Scalar?, Range<Int>)] = []
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let encoded):
                result.append((UTF8.decode(encoded), place..<place + encoded.count))
                place += encoded.count
            case .error(let length):
                result.append((nil, place..<place + length))
                place += length
            case .emptyInput: return result
            }
        }
    }

    /// The byte that an escape at the beginning stands for; nil if there is none. Only those that `text` makes count.
    private static func escape(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        let digits = bytes.dropFirst(2).prefix(2)
        guard bytes.starts(with: [0x5C, 0x78]), digits.count == 2,
            digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), byte >= 0x80 || byte == 0x5C
        else { return nil }
        return byte
    }
}

extension String {
    /// Calls `body` with a path as the system has it: the bytes that this text stands for, and a zero.
    package func withSystemPath<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        guard contains("\\x") else { return try withCString(body) }
        return try (FileName.bytes(self) + [0]).withUnsafeBytes { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { characters in
                // A buffer of at least the zero has an address.
                guard let start = characters.baseAddress else { return try "".withCString(body) }
                return try body(start)
            }
        }
    }
}
