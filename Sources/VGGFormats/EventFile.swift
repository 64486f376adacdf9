/// Numbers at a step of a training, as TensorBoard reads them.
package struct ScalarEvent: Sendable {
    /// Seconds since 1970.
    package var wallTime: Double
    /// Steps done over the whole run.
    package var step: Int
    /// By tag, such as `loss/train`; TensorBoard puts those with the same first part together.
    package var scalars: [(tag: String, value: Double)]

    /// - Parameter wallTime: seconds since 1970.
    package init(wallTime: Double, step: Int, scalars: [(tag: String, value: Double)]) {
        self.wallTime = wallTime
        self.step = step
        self.scalars = scalars
    }
}

/// TensorBoard's event files: records of TensorFlow's (the length, the bytes, and a masked CRC-32C of each), one a message
/// `Event` of Protocol Buffers. A file may grow while it is read.
///
/// Formats: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto and
/// tensorflow/core/framework/summary.proto in https://github.com/tensorflow/tensorflow
package enum EventFile {
    /// What a file begins with.
    package static func head(wallTime: Double) -> [UInt8] {
        var event = ProtobufMessage()
        event.add(1, wallTime)
        event.add(3, "brain.Event:2")
        return record(event.bytes)
    }

    /// The time with which a file begins; nil if it begins with something else.
    package static func wallTime(ofHead file: [UInt8]) -> Double? {
        // After the length, its checksum and the number of the member.
        guard file.count >= 21 else { return nil }
        let time = Double(bitPattern: file[13..<21].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        return file.starts(with: head(wallTime: time)) ? time : nil
    }

    /// What is added to a file for an event.
    package static func record(_ event: ScalarEvent) -> [UInt8] {
        var summary = ProtobufMessage()
        for (tag, value) in event.scalars {
            var scalar = ProtobufMessage()
            scalar.add(1, tag)
            scalar.add(2, Float(value))
            summary.add(1, scalar)
        }
        var message = ProtobufMessage()
        message.add(1, event.wallTime)
        if event.step != 0 { message.add(2, event.step) }
        message.add(5, summary)
        return record(message.bytes)
    }

    private static func record(_ bytes: [UInt8]) -> [UInt8] {
        let length = withUnsafeBytes(of: UInt64(bytes.count).littleEndian, Array.init)
        return length + masked(length) + bytes + masked(bytes)
    }

    private static func masked(_ bytes: [UInt8]) -> [UInt8] {
        let sum = crc32c(bytes)
        let mask = (sum >> 15 | sum << 17) &+ 0xA282_EAD8
        return withUnsafeBytes(of: mask.littleEndian, Array.init)
    }

    /// The CRC of Castagnoli's polynomial (RFC 3720, appendix B.4); zlib has only another one.
    static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
    }
}
