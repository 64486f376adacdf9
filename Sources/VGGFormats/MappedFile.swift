import Foundation
import VGGFiles

/// Calls `body` with the bytes of the file at `path`, mapped into memory: only the pages that are touched are
/// read from the disk. The bytes are gone when `body` returns.
///
/// Files of this package are replaced, never changed in place (`AtomicFile`), so a mapping keeps what it had.
/// - Throws: `FileError` if the file cannot be opened or is a folder, a pipe or a device; what `body` throws.
func withMappedFile<Result>(_ path: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws
    -> Result
{
    // Non-blocking, because opening a pipe would otherwise wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(path, failed: "cannot be opened") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path, failed: "cannot be read") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(path, "is not a regular file") }
    let count = Int(status.st_size)
    guard count > 0 else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
        throw FileError(path, failed: "cannot be read")
    }
    defer { munmap(start, count) }
    return try body(UnsafeRawBufferPointer(start: start, count: count))
}
