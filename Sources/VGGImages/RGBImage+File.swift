import VGGFiles

extension RGBImage {
    /// The most bytes that are read of a file.
    public static let maximumFileSize = 1 << 30

    /// Reads a JPEG, PNG or WebP file; see `init(decoding:)`.
    /// - Throws: `FileError` that names the file and says what is wrong with it.
    public init(contentsOf path: String, alpha: Alpha = .dropped) throws(FileError) {
        try self.init(
            reading: try WholeFile.bytes(path, atMost: Self.maximumFileSize, expecting: Self.expected),
            name: path, alpha)
    }

    /// Reads a JPEG, PNG or WebP file from an open descriptor, such as standard input's, to its end.
    /// - Parameter name: what errors call the file.
    public init(readingFrom descriptor: Int32, name: String, alpha: Alpha = .dropped) throws(FileError) {
        try self.init(
            reading: try WholeFile.bytes(
                readingFrom: descriptor, name: name, atMost: Self.maximumFileSize, expecting: Self.expected),
            name: name, alpha)
    }

    /// The name that stands for standard input.
    public static let standardInput = "-"

    /// The picture of a file, or of standard input for `-`.
    /// - Throws: `FileError` that says why it cannot be read.
    public init(named file: String, alpha: Alpha = .dropped) throws(FileError) {
        if file == Self.standardInput {
            try self.init(readingFrom: 0, name: "standard input", alpha: alpha)
        } else {
            try self.init(contentsOf: file, alpha: alpha)
        }
    }

    private static let expected = "a picture of a usual size"

    private init(reading bytes: [UInt8], name: String, _ alpha: Alpha) throws(FileError) {
        do throws(ImageError) {
            try self.init(decoding: bytes, alpha: alpha)
        } catch {
            throw FileError(name, "\(error)")
        }
    }
}
