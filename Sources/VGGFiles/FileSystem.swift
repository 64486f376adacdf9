import Foundation

/// What there is at a path.
package enum FileKind: Hashable, Sendable {
    case file, folder, link
    /// A pipe, a device or a socket.
    case other

    /// What is at `path`, which is text as `FileName` makes it; nil if nothing is.
    /// - Parameter followingLinks: whether a link is what it leads to.
    package init?(at path: String, followingLinks: Bool = true) {
        var status = stat()
        let result = path.withSystemPath { followingLinks ? stat($0, &status) : lstat($0, &status) }
        guard result == 0 else { return nil }
        self =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
    }
}

/// Bytes of the file at `path`, which is text as `FileName` makes it; 0 if there is none.
package func sizeOfFile(_ path: String) -> Int {
    var status = stat()
    return path.withSystemPath { stat($0, &status) } == 0 ? Int(status.st_size) : 0
}

/// Whether two paths lead to one file that is there.
package func isSameFile(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return a.withSystemPath { stat($0, &first) } == 0 && b.withSystemPath { stat($0, &second) } == 0
        && first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

/// Opens the file for reading that is at `path`, which is text as `FileName` makes it.
/// - Returns: a descriptor to be closed.
/// - Throws: `FileError` if it cannot be opened.
package func openForReading(_ path: String) throws(FileError) -> Int32 {
    let descriptor = path.withSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw FileError(path, failed: "cannot be opened") }
    return descriptor
}

/// The names in a folder but for `.` and `..`, in the order of `FileName.sorted`.
/// - Throws: `FileError` if it cannot be read.
package func namesInFolder(_ path: String) throws(FileError) -> [String] {
    guard let stream = path.withSystemPath({ opendir($0) }) else {
        throw FileError(path, failed: "cannot be read as a folder")
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { FileName.text(Array($0.prefix { $0 != 0 })) }
        if name != ".", name != ".." { names.append(name) }
        errno = 0
    }
    guard errno == 0 else { throw FileError(path, failed: "cannot be read as a folder") }
    return FileName.sorted(names) { $0 }
}
