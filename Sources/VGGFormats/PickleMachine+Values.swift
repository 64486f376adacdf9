/// The operations of a pickle that push a value of their own. (The names are those of pickletools.)
extension PickleMachine {
    /// - Returns: nil if `operation` is none of them.
    mutating func readValue(_ operation: UInt8) throws(Problem) -> PickleValue? {
        switch operation {
        case UInt8(ascii: "N"): return PickleValue.none
        case 0x88: return .boolean(true)
        case 0x89: return .boolean(false)
        case UInt8(ascii: "K"): return .integer(Int32(try reader.integer(UInt8.self)))  // BININT1
        case UInt8(ascii: "M"): return .integer(Int32(try reader.integer(UInt16.self)))  // BININT2
        case UInt8(ascii: "J"): return .integer(try reader.integer(Int32.self))  // BININT
        case 0x8A: return integer(try bytes(UInt8.self))  // LONG1
        case 0x8B: return integer(try bytes(UInt32.self))  // LONG4
        case UInt8(ascii: "G"):  // BINFLOAT
            _ = try reader.take(8)
            return .opaque
        case 0x8C: return memory.newText(try bytes(UInt8.self))  // SHORT_BINUNICODE
        case UInt8(ascii: "X"): return memory.newText(try bytes(UInt32.self))  // BINUNICODE
        case 0x8D: return memory.newText(try bytes(UInt64.self))  // BINUNICODE8
        // SHORT_BINSTRING and BINSTRING, the strings of Python 2.
        case UInt8(ascii: "U"): return memory.newText(try bytes(UInt8.self))
        case UInt8(ascii: "T"): return memory.newText(try bytes(UInt32.self))
        case UInt8(ascii: "C"): return memory.newBytes(try bytes(UInt8.self))  // SHORT_BINBYTES
        case UInt8(ascii: "B"): return memory.newBytes(try bytes(UInt32.self))  // BINBYTES
        case 0x8E, 0x96: return memory.newBytes(try bytes(UInt64.self))  // BINBYTES8, BYTEARRAY8
        case UInt8(ascii: "c"):  // GLOBAL
            let module = try reader.line()
            return global(module, try reader.line())
        default: return try readLine(operation)
        }
    }

    /// The operations of the first protocol, whose values are written as lines of text.
    private mutating func readLine(_ operation: UInt8) throws(Problem) -> PickleValue? {
        switch operation {
        case UInt8(ascii: "I"):  // INT, which is also how it writes truth values
            let line = try reader.line()
            if line == "00" || line == "01" { return .boolean(line == "01") }
            return Int(line).map { memory.newInteger($0) } ?? .opaque
        case UInt8(ascii: "L"):  // LONG
            let line = try reader.line()
            return Int(line.hasSuffix("L") ? line.dropLast() : line[...]).map { memory.newInteger($0) }
                ?? .opaque
        case UInt8(ascii: "F"):  // FLOAT
            _ = try reader.line()
            return .opaque
        case UInt8(ascii: "V"): return memory.newText(try reader.line())  // UNICODE
        case UInt8(ascii: "S"):  // STRING
            return memory.newText(String(try reader.line().dropFirst().dropLast()))
        case UInt8(ascii: "P"):  // PERSID: storages are not named by text
            _ = try reader.line()
            return .opaque
        default: return nil
        }
    }

    mutating func lineInteger() throws(Problem) -> Int {
        guard let number = Int(try reader.line()) else { throw malformed("expected a number") }
        return number
    }

    /// As many bytes as the number before them says.
    private mutating func bytes<Length: FixedWidthInteger & BitwiseCopyable>(
        _ length: Length.Type
    ) throws(Problem) -> UnsafeRawBufferPointer {
        guard let count = Int(exactly: try reader.integer(length)) else {
            throw malformed("a length that no file has")
        }
        return try reader.take(count)
    }

    /// Two's complement, little-endian, of any length.
    private mutating func integer(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
        guard bytes.count <= 8 else { return memory.newLongInteger(bytes) }
        var value = bytes.last.map { $0 >= 0x80 } == true ? -1 : 0
        for byte in bytes.reversed() { value = value << 8 | Int(byte) }
        return memory.newInteger(value)
    }
}
