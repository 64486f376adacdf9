/// Reads little-endian numbers and runs of bytes, one after the other, and never past the end.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    /// What is read, in the words of an error: "the pickle".
    let part: String
    /// The next byte.
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, part: String, at position: Int = 0) {
        self.bytes = bytes
        self.part = part
        self.position = position
    }

    func malformed(_ reason: String) -> PyTorchFileError.Problem {
        .malformed(part: part, reason: reason, offset: position)
    }

    /// The next `count` bytes, without a copy.
    mutating func take(_ count: Int) throws(PyTorchFileError.Problem) -> UnsafeRawBufferPointer {
        guard position >= 0, count >= 0, count <= bytes.count - position else { throw .truncated(part: part) }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type
    ) throws(PyTorchFileError.Problem) -> Value {
        Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    /// A length or an offset of 64 bits, which must fit an `Int`.
    mutating func length() throws(PyTorchFileError.Problem) -> Int {
        guard let value = Int(exactly: try integer(UInt64.self)) else {
            throw malformed("a length that no file has")
        }
        return value
    }

    mutating func string(_ count: Int) throws(PyTorchFileError.Problem) -> String {
        guard let string = String(validating: try take(count), as: UTF8.self) else {
            throw malformed("text that is not UTF-8")
        }
        return string
    }

    /// Text up to a line break, which is passed over.
    mutating func line() throws(PyTorchFileError.Problem) -> String {
        guard position <= bytes.count,
            let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))
        else { throw .truncated(part: part) }
        let text = try string(end - position)
        position = end + 1
        return text
    }
}
