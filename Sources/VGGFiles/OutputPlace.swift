import Foundation

/// Where what is written under a path goes: symbolic links are followed to their end.
enum OutputPlace {
    /// A file, or none yet, with the mode that a new one gets; nil for the usual one.
    case file(String, mode: mode_t?)
    /// A pipe, a terminal or another device.
    case special(String)
    /// Something that the process has open.
    case descriptor(Int32)

    /// - Throws: `FileError` for a folder, and for a file that must not be written.
    init(_ path: String) throws(FileError) {
        var place = path
        var links = 0
        while true {
            if let number = Self.descriptor(place) {
                self = .descriptor(number)
                return
            }
            guard let target = Self.target(ofLink: place) else { break }
            links += 1
            // As many as the system itself follows.
            guard links <= 40 else { throw FileError(path, failed: "cannot be written", errno: ELOOP) }
            place = target.hasPrefix("/") ? target : "\(place.parentFolder)/\(target)"
        }
        var status = stat()
        guard place.withSystemPath({ stat($0, &status) }) == 0 else {
            self = .file(place, mode: nil)
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            // A file in a folder that may be written could be replaced, but somebody has protected it.
            guard place.withSystemPath({ access($0, W_OK) }) == 0 else {
                throw FileError(path, failed: "cannot be written")
            }
            self = .file(place, mode: status.st_mode & 0o777)
        case S_IFDIR: throw FileError(path, "cannot be written: it is a folder")
        default: self = .special(place)
        }
    }

    /// What a symbolic link says; nil for anything else.
    private static func target(ofLink path: String) -> String? {
        var characters = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = path.withSystemPath { readlink($0, &characters, characters.count) }
        return count < 0 ? nil : FileName.text(characters.prefix(count).map { UInt8(bitPattern: $0) })
    }

    /// The number of an open file by one of the names that systems have for it.
    private static func descriptor(_ path: String) -> Int32? {
        switch path {
        case "/dev/stdout": return STDOUT_FILENO
        case "/dev/stderr": return STDERR_FILENO
        default:
            let folders = ["/dev/fd/", "/proc/self/fd/"]
            guard let folder = folders.first(where: path.hasPrefix) else { return nil }
            return Int32(path.dropFirst(folder.count))
        }
    }
}
