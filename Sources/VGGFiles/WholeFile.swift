import Foundation

/// Reads files to their end: also pipes and devices, which have no size and can be read only once.
package enum WholeFile {
    /// - Parameters:
    ///   - limit: the most bytes that are read.
    ///   - kind: what is expected, for the error if there are more: "a picture".
    /// - Throws: `FileError` if the file cannot be opened or read, or has more bytes.
    package static func bytes(
        _ path: String, atMost limit: Int, expecting kind: String
    ) throws(FileError) -> [UInt8] {
        let descriptor = try openForReading(path)
        defer { close(descriptor) }
        return try bytes(readingFrom: descriptor, name: path, atMost: limit, expecting: kind)
    }

    /// The same of an open descriptor, such as standard input's.
    /// - Parameter name: what errors call the file.
    package static func bytes(
        readingFrom descriptor: Int32, name: String, atMost limit: Int, expecting kind: String
    ) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var status = stat()
        // A file may grow while it is read.
        if fstat(descriptor, &status) == 0, (0...limit).contains(Int(status.st_size)) {
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
            guard bytes.count + count <= limit else {
                throw FileError(name, "has more than \(limit) bytes; it is not \(kind)")
            }
            bytes += chunk.prefix(count)
        }
    }
}
