import VGGFiles
import VGGModel

/// A message of Protocol Buffers under construction: the wire format, without a schema.
///
/// Arrays of numbers are kept as they are until they are written, so a message of a network's weights takes
/// no second copy of them in memory.
///
/// Format: https://protobuf.dev/programming-guides/encoding
struct ProtobufMessage {
    private enum Piece {
        case bytes([UInt8])
        case floats(TensorValues)
    }

    private var pieces: [Piece] = []
    /// Bytes of the message when written.
    private(set) var count = 0

    /// An integer, a truth value or an enumeration.
    mutating func add(_ field: Int, _ value: Int) {
        append(Self.varint(UInt64(field) << 3) + Self.varint(UInt64(bitPattern: Int64(value))))
    }

    /// A 32-bit floating-point number.
    mutating func add(_ field: Int, _ value: Float) {
        append(
            Self.varint(UInt64(field) << 3 | 5)
                + withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init))
    }

    /// A 64-bit floating-point number.
    mutating func add(_ field: Int, _ value: Double) {
        append(
            Self.varint(UInt64(field) << 3 | 1)
                + withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init))
    }

    mutating func add(_ field: Int, _ text: String) {
        appendHeader(field, length: text.utf8.count)
        append(Array(text.utf8))
    }

    /// A message inside this one.
    mutating func add(_ field: Int, _ message: ProtobufMessage) {
        appendHeader(field, length: message.count)
        pieces += message.pieces
        count += message.count
    }

    /// A field of bytes: the numbers, little-endian.
    mutating func add(_ field: Int, _ floats: TensorValues) {
        let length = floats.count * MemoryLayout<Float>.size
        appendHeader(field, length: length)
        pieces.append(.floats(floats))
        count += length
    }

    private mutating func appendHeader(_ field: Int, length: Int) {
        append(Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(length)))
    }

    private mutating func append(_ bytes: [UInt8]) {
        count += bytes.count
        pieces.append(.bytes(bytes))
    }

    /// Seven bits a byte, the lowest first; all bytes but the last have their highest bit set.
    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// The message as it is written.
    var bytes: [UInt8] {
        pieces.flatMap { piece in
            switch piece {
            case .bytes(let bytes): bytes
            case .floats(let floats): floats.withUnsafeBytes { Array($0) }
            }
        }
    }

    /// - Throws: `FileError` if the file cannot be written.
    func write(to file: borrowing AtomicFile) throws {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): try bytes.withUnsafeBytes { try file.write($0) }
            case .floats(let floats): try floats.withUnsafeBytes { try file.write($0) }
            }
        }
    }
}
