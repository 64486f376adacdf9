import CVGGImages

/// The kinds of picture that can be decoded, each by the system's own library.
public enum ImageFormat: String, CaseIterable, Sendable, CustomStringConvertible {
    /// Told by a file's first bytes.
    case jpeg, png, webp

    /// The endings of file names, in lower case; what a file is, is read from its first bytes alone.
    public static let fileExtensions: Set<String> = ["jpg", "jpeg", "jpe", "jfif", "png", "webp"]

    /// The format that the first bytes announce; nil for any other.
    public init?(_ bytes: [UInt8]) {
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
            self = .webp
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .jpeg: "JPEG"
        case .png: "PNG"
        case .webp: "WebP"
        }
    }

    /// Whether the package was built on a machine that has the library's header files.
    public var isSupported: Bool {
        switch self {
        case .jpeg: vgg_has_jpeg()
        case .png: vgg_has_png()
        case .webp: vgg_has_webp()
        }
    }

    /// The package of Debian and Ubuntu that has the library's header files.
    var package: String { "lib\(rawValue)-dev" }

    /// More pixels than a file of so many bytes can hold; nil where a flat colour takes no space at all.
    ///
    /// DEFLATE expands a byte to 1032 at most, and a byte of PNG is eight pixels at most. JPEG's Huffman codes
    /// take at least one bit for each 64 pixels, or for a thousand with the rarest of subsampling: the same limit
    /// is ample. (Only the arithmetic codes that hardly any program writes could tell more, of one flat colour.)
    func mostPixels(inBytes count: Int) -> Int? {
        switch self {
        case .jpeg, .png: 1032 * 8 * count
        case .webp: nil
        }
    }
}
