import Foundation

/// Replaces a file by a complete one, or leaves it as it was.
///
/// The bytes go to a temporary file in the same folder, which is flushed to the disk and then renamed over
/// the old one: a reader, or a process killed at any instant, sees either the old file or the whole new one.
/// The new file has the old one's mode, and a symbolic link stays one: the file that it leads to is replaced. A
/// pipe, a device or an open descriptor (`/dev/stdout`) cannot be replaced, and is written as it is.
package struct AtomicFile: ~Copyable {
    /// Where the bytes go, and what they are to replace.
    private struct Replacement {
        let temporary, target: String
    }

    private let path: String
    /// nil where the bytes are written right away.
    private let replacement: Replacement?
    private var descriptor: Int32

    private init(replacing path: String) throws(FileError) {
        let (descriptor, replacement) = try Self.open(OutputPlace(path))
        guard descriptor >= 0 else {
            let error = FileError(path, failed: "cannot be written")
            if let replacement { TemporaryFiles.remove(replacement.temporary) }
            throw error
        }
        self.path = path
        self.replacement = replacement
        self.descriptor = descriptor
    }

    /// - Returns: a negative number, and `errno`, if it cannot be opened.
    private static func open(_ place: OutputPlace) -> (Int32, Replacement?) {
        switch place {
        case .descriptor(let number): return (fcntl(number, F_DUPFD_CLOEXEC, 0), nil)
        case .special(let path):
            return (path.withSystemPath { Foundation.open($0, O_WRONLY | O_CLOEXEC) }, nil)
        case .file(let target, let mode):
            let temporary = "\(target).\(getpid()).partial"
            TemporaryFiles.add(temporary)
            let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
            let descriptor = temporary.withSystemPath { Foundation.open($0, flags, 0o666) }
            if descriptor >= 0, let mode { fchmod(descriptor, mode) }
            return (descriptor, Replacement(temporary: temporary, target: target))
        }
    }

    deinit {
        // Only a file that was not committed still has its descriptor.
        guard descriptor >= 0 else { return }
        close(descriptor)
        if let replacement {
            _ = replacement.temporary.withSystemPath { unlink($0) }
            TemporaryFiles.remove(replacement.temporary)
        }
    }

    /// Appends `bytes`.
    /// - Throws: `FileError` if the disk is full or the write fails otherwise.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let written = Foundation.write(descriptor, start, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw failure
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    private mutating func commit() throws(FileError) {
        if let replacement {
            let isRenamed = replacement.temporary.withSystemPath { temporary in
                isOnDisk && replacement.target.withSystemPath { rename(temporary, $0) } == 0
            }
            guard isRenamed else { throw failure }
            TemporaryFiles.remove(replacement.temporary)
        }
        close(descriptor)
        descriptor = -1
    }

    /// Waits until the disk has what was written.
    private var isOnDisk: Bool {
        #if canImport(Darwin)
            // There fsync leaves it with the disk's own cache; file systems that are not Apple's have only that.
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
        #endif
        return fsync(descriptor) == 0
    }

    private var failure: FileError {
        let kept = replacement == nil ? "" : " (the old file, if any, is kept)"
        return FileError(path, failed: "cannot be written\(kept)")
    }

    /// Finds out whether the file at `path` could be replaced now: before long work, not after it.
    /// - Throws: `FileError` if its folder is not there or cannot be written.
    package static func checkReplaceable(_ path: String) throws(FileError) {
        // Whoever reads a pipe takes its being opened for the beginning.
        if case .special = try OutputPlace(path) { return }
        _ = try AtomicFile(replacing: path)
    }

    /// Replaces the file at `path` by what `body` writes; if `body` throws, the old file stays.
    /// - Throws: `FileError`, or what `body` throws.
    package static func replace(_ path: String, with body: (borrowing AtomicFile) throws -> Void) throws {
        var file = try AtomicFile(replacing: path)
        try body(file)
        try file.commit()
    }

    /// Replaces the file at `path` by `bytes`.
    /// - Throws: `FileError` if it cannot be written; the old file then stays.
    package static func replace(_ path: String, with bytes: some ContiguousBytes) throws {
        try replace(path) { file in try bytes.withUnsafeBytes { try file.write($0) } }
    }
}
