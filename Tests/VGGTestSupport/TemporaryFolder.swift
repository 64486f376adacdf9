import Foundation

/// A folder of its own for a test, which exists as long as the value does.
public final class TemporaryFolder: Sendable {
    public let path = FileManager.default.temporaryDirectory.appending(path: "vgg-\(UUID().uuidString)").path

    public init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func url(_ name: String) -> URL { URL(fileURLWithPath: "\(path)/\(name)") }

    public func bytes(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

    /// The names of what is in the folder, or in one within it, sorted.
    public func names(_ name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url(name).path).sorted()
    }

    /// Writes a file, and makes the folders that it lies in.
    public func write(_ bytes: [UInt8], to name: String) throws {
        try FileManager.default.createDirectory(
            at: url(name).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url(name))
    }

    public func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
}
