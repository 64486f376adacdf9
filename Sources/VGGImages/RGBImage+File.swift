import Foundation
import VGGFiles

extension RGBImage {
    /// The most bytes that are read of a file.
    public static let maximumFileSize = 1 << 30

    /// Reads a JPEG, PNG or WebP file; see `init(decoding:)`.
    /// - Throws: `FileError` that names the file and says what is wrong with it.
    public init(contentsOf path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, failed: "cannot be opened") }
        defer { close(descriptor) }
        try self.init(readingFrom: descriptor, name: path)
    }

    /// Reads a JPEG, PNG or WebP file from an open descriptor, such as standard input's, to its end.
    /// - Parameter name: what errors call the file.
    public init(readingFrom descriptor: Int32, name: String) throws(FileError) {
        let bytes = try Self.bytes(of: descriptor, name: name)
        do throws(ImageError) {
            try self.init(decoding: bytes)
        } catch {
            throw FileError(name, "\(error)")
        }
    }

    private static func bytes(of descriptor: Int32, name: String) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var status = stat()
        // A pipe has no size, and a file may grow while it is read.
        if fstat(descriptor, &status) == 0, (0...maximumFileSize).contains(Int(status.st_size)) {
            bytes.reserveCapacity(Int(status.st_size))
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(name, failed: "cannot be read")
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= maximumFileSize else {
                throw FileError(
                    name, "has more than \(maximumFileSize) bytes; it is no picture of a usual size")
            }
            bytes += chunk.prefix(count)
        }
    }
}
