/// Why bytes are not a picture that can be used. The words follow the name of the file.
public enum ImageError: Error, Hashable, CustomStringConvertible {
    /// The first bytes are those of no format that is known here.
    case unknownFormat
    case missingLibrary(ImageFormat)
    case tooLarge(width: Int, height: Int)
    /// The bytes end before the picture does.
    case truncated(ImageFormat)
    /// `reason` is the decoder's.
    case damaged(ImageFormat, reason: String)

    public var description: String {
        switch self {
        case .unknownFormat:
            "is no JPEG, PNG or WebP picture; convert it to one of these"
        case .missingLibrary(let format):
            """
            is \(format), which this build cannot read; run apt-get install \(format.package), then make build
            """
        case .tooLarge(let width, let height):
            "has \(width)×\(height) pixels, more than \(RGBImage.maximumPixelCount); make it smaller"
        case .truncated(let format):
            "the \(format) picture ends too early; get the file again"
        case .damaged(let format, let reason):
            "the \(format) picture is damaged (\(reason)); get the file again"
        }
    }
}
