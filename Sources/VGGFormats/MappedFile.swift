import Foundation
import VGGFiles

/// A file mapped into memory as long as the object lives: only the pages that are touched are read from the
/// disk.
///
/// Files of this package are replaced, never changed in place (`AtomicFile`), so a mapping keeps what it had.
///
/// `@unchecked`: the bytes are never written here, and their place never changes.
final class MappedFile: @unchecked Sendable {
    private let bytes: UnsafeRawBufferPointer

    /// - Throws: `FileError` if the file cannot be opened or is a folder, a pipe or a device.
    init(_ path: String) throws(FileError) {
        // Non-blocking, because opening a pipe would otherwise wait for its writer.
        let descriptor = path.withSystemPath { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw FileError(path, failed: "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(path, failed: "cannot be read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(path, "is not a regular file") }
        let count = Int(status.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw FileError(path, failed: "cannot be read")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Calls `body` with the file's bytes, which are there until it returns, and as long as the object lives.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}
