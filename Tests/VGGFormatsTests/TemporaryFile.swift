import Foundation

/// Calls `body` with the path of a file with these bytes, and deletes the file.
func withFile<Result>(_ bytes: Data, _ body: (String) throws -> Result) throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "formats-\(UUID().uuidString)")
    try bytes.write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
}

/// The path of a file that a script of Scripts/goldens wrote.
func golden(_ name: String) -> String {
    Bundle.module.bundleURL.appending(path: "Goldens/\(name)").path
}

/// A safetensors file with this header and so many bytes of zeros.
func file(header: String, data: Int) -> Data {
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    bytes.append(contentsOf: header.utf8)
    bytes.append(Data(count: data))
    return bytes
}
