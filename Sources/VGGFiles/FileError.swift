import Foundation

/// A file or folder that could not be read or written: what was wrong, where, and what to do.
public struct FileError: Error, Hashable, CustomStringConvertible {
    /// What is at fault: a file or folder.
    public var path: String
    /// What was wrong, in words that follow the path, such as "cannot be opened: No such file or directory".
    public var reason: String

    /// - Parameter reason: in words, without the path.
    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// An error that ends with the system's own words for `errno`.
    public init(_ path: String, failed action: String, errno code: Int32 = errno) {
        self.init(path, "\(action): \(String(cString: strerror(code)))")
    }

    public var description: String { "\(path.isEmpty ? "''" : path): \(reason)" }
}
