import Foundation

/// Replaces a file by a complete one, or leaves it as it was.
///
/// The bytes go to a temporary file in the same folder, which is flushed to the disk and then renamed over
/// the old one: a reader, or a process killed at any instant, sees either the old file or the whole new one.
public struct AtomicFile: ~Copyable {
    private let path: String
    private let temporaryPath: String
    private var descriptor: Int32

    private init(replacing path: String) throws(FileError) {
        self.path = path
        temporaryPath = "\(path).\(getpid()).partial"
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path, failed: "cannot be written") }
    }

    deinit {
        // Only a file that was not committed still has its descriptor.
        if descriptor >= 0 {
            close(descriptor)
            unlink(temporaryPath)
        }
    }

    /// Appends `bytes`.
    /// - Throws: `FileError` if the disk is full or the write fails otherwise.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let written = Foundation.write(descriptor, start, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw FileError(path, failed: "cannot be written (the old file, if any, is kept)")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    private mutating func commit() throws(FileError) {
        guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else {
            throw FileError(path, failed: "cannot be written (the old file, if any, is kept)")
        }
        close(descriptor)
        descriptor = -1
    }

    /// Finds out whether the file at `path` could be replaced now: before long work, not after it.
    /// - Throws: `FileError` if its folder is not there or cannot be written.
    public static func checkReplaceable(_ path: String) throws(FileError) {
        _ = try AtomicFile(replacing: path)
    }

    /// Replaces the file at `path` by what `body` writes; if `body` throws, the old file stays.
    /// - Throws: `FileError`, or what `body` throws.
    public static func replace(_ path: String, with body: (borrowing AtomicFile) throws -> Void) throws {
        var file = try AtomicFile(replacing: path)
        try body(file)
        try file.commit()
    }

    /// Replaces the file at `path` by `bytes`.
    /// - Throws: `FileError` if it cannot be written; the old file then stays.
    public static func replace(_ path: String, with bytes: some ContiguousBytes) throws {
        try replace(path) { file in try bytes.withUnsafeBytes { try file.write($0) } }
    }
}
