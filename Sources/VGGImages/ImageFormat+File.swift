import Foundation
import VGGFiles

extension ImageFormat {
    /// Reads what a file is from its first bytes.
    /// - Throws: `FileError` if it cannot be read, or is no picture that this build can decode.
    public init(contentsOf path: String) throws(FileError) {
        let descriptor = try openForReading(path)
        defer { close(descriptor) }
        var start = [UInt8](repeating: 0, count: 100)
        let count = start.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw FileError(path, failed: "cannot be read") }
        let bytes = Array(start.prefix(count))
        guard let format = ImageFormat(bytes) else {
            throw FileError(path, "\(ImageError.unread(bytes))")
        }
        guard format.isSupported else { throw FileError(path, "\(ImageError.missingLibrary(format))") }
        self = format
    }
}
