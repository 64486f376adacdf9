import Foundation
import VGGFiles

/// An array of unsigned bytes in the IDX format (LeCun's MNIST page, "The IDX file format").
///
/// The file is the magic number `00 00 08 rank`, `rank` sizes as big-endian 32-bit numbers, and the bytes in
/// row-major order. It may be compressed by gzip, whatever its name.
struct IDXFile {
    let path: String
    let dimensions: [Int]
    let bytes: [UInt8]

    /// Reads the file at `path`, which must have `rank` dimensions.
    /// - Throws: `FileError` if it cannot be read, `DatasetError.malformedFile` if it is not such a file.
    init(path: String, rank: Int) throws {
        let file: Data
        do {
            file = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw FileError(path, "cannot be read; check that the file exists and may be read")
        }
        try self.init(file, path: path, rank: rank)
    }

    /// - Parameter path: the name the file has in errors.
    /// - Throws: `DatasetError.malformedFile`.
    init(_ file: Data, path: String, rank: Int) throws {
        self.path = path
        (dimensions, bytes) = try file.withUnsafeBytes { buffer in
            var source = try ByteSource(buffer, path: path)
            return try Self.decode(&source, path: path, rank: rank)
        }
    }

    private static func decode(
        _ source: inout ByteSource, path: String, rank: Int
    ) throws(DatasetError) -> (dimensions: [Int], bytes: [UInt8]) {
        func malformed(_ reason: String) -> DatasetError { .malformedFile(path: path, reason: reason) }

        let magic = try source.read(4)
        guard magic.count == 4 else { throw malformed("has no IDX header, only \(magic.count) bytes") }
        guard magic == Self.magic(rank: rank) else {
            throw malformed(
                "begins with \(hex(magic)), not with \(hex(Self.magic(rank: rank))) as an IDX "
                    + "file of unsigned bytes in \(rank) dimension\(rank == 1 ? "" : "s") does")
        }
        let sizes = try source.read(4 * rank)
        guard sizes.count == 4 * rank else { throw malformed("is cut off in its IDX header") }
        let dimensions = stride(from: 0, to: sizes.count, by: 4).map { start in
            sizes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        var total = 1
        for dimension in dimensions {
            let (product, overflow) = total.multipliedReportingOverflow(by: dimension)
            guard !overflow, dimension > 0 else {
                throw malformed(
                    "has the impossible size \(dimensions.map(String.init).joined(separator: "×"))")
            }
            total = product
        }
        let bytes = try source.read(total)
        guard bytes.count == total else {
            throw malformed("is cut off: its header promises \(total) bytes, \(bytes.count) are there")
        }
        // Also makes zlib check the CRC at the end of the gzip data.
        guard try source.read(1).isEmpty else {
            throw malformed("has more than the \(total) bytes its header promises")
        }
        return (dimensions, bytes)
    }

    /// The SHA-256 of the uncompressed file, in hexadecimal digits; nil if there are no hashes on this machine.
    var sha256: String? {
        var header = Self.magic(rank: dimensions.count)
        for dimension in dimensions {
            withUnsafeBytes(of: UInt32(dimension).bigEndian) { header.append(contentsOf: $0) }
        }
        return ContentHash.sha256(header, bytes)
    }

    private static func magic(rank: Int) -> [UInt8] { [0, 0, 8, UInt8(rank)] }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined(separator: " ")
    }
}
