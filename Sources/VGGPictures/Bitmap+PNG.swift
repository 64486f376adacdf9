import CZlib
import Foundation

extension Bitmap {
    /// The picture as a PNG file (W3C, Portable Network Graphics, third edition): 8-bit RGB, not interlaced.
    public func pngData() -> Data {
        var header = Data()
        header.appendBigEndian(UInt32(width))
        header.appendBigEndian(UInt32(height))
        // Bit depth, colour type RGB, compression, filter method, no interlace.
        header.append(contentsOf: [8, 2, 0, 0, 0])

        var file = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        file.appendChunk("IHDR", header)
        file.appendChunk("IDAT", Self.compressed(filteredRows()))
        file.appendChunk("IEND", Data())
        return file
    }

    /// The rows, each after the number of its filter: none, with which flat colours compress best.
    private func filteredRows() -> [UInt8] {
        let rowLength = width * 3
        var filtered: [UInt8] = []
        filtered.reserveCapacity((rowLength + 1) * height)
        for start in stride(from: 0, to: bytes.count, by: rowLength) {
            filtered.append(0)
            filtered.append(contentsOf: bytes[start..<start + rowLength])
        }
        return filtered
    }

    private static func compressed(_ source: [UInt8]) -> Data {
        var length = compressBound(UInt(source.count))
        var result = Data(count: Int(length))
        let status = result.withUnsafeMutableBytes { buffer in
            compress2(
                buffer.bindMemory(to: UInt8.self).baseAddress, &length, source, UInt(source.count),
                Z_DEFAULT_COMPRESSION)
        }
        // With a buffer of compressBound bytes zlib fails for want of memory only.
        precondition(status == Z_OK, "zlib could not compress a picture: \(status)")
        return result.prefix(Int(length))
    }
}

extension Data {
    fileprivate mutating func appendBigEndian(_ value: UInt32) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// Appends a PNG chunk: length, type, content, and the CRC of type and content.
    fileprivate mutating func appendChunk(_ type: String, _ content: Data) {
        appendBigEndian(UInt32(content.count))
        let checked = Data(type.utf8) + content
        append(checked)
        let checksum = checked.withUnsafeBytes {
            crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
        }
        appendBigEndian(UInt32(checksum))
    }
}
