/// Why bytes are not a picture that can be used. The words follow the name of the file.
public enum ImageError: Error, Hashable, CustomStringConvertible {
    /// The first bytes are those of no format that is known here.
    case unknownFormat
    /// They are those of a kind of file that is known, but not read.
    case otherKind(String)
    /// There are no bytes.
    case empty
    /// The library for this format was not there when the program was built.
    case missingLibrary(ImageFormat)
    /// It has more pixels than `RGBImage.maximumPixelCount`.
    case tooLarge(width: Int, height: Int)
    /// The bytes end before the picture does.
    case truncated(ImageFormat)
    /// `reason` is the decoder's.
    case damaged(ImageFormat, reason: String)

    /// What bytes are that begin like no picture that is read.
    static func unread(_ bytes: [UInt8]) -> ImageError {
        if bytes.isEmpty { return .empty }
        func starts(_ text: String, at place: Int = 0) -> Bool {
            bytes.dropFirst(place).starts(with: text.utf8)
        }
        if starts("BM") { return .otherKind("a BMP picture") }
        if starts("GIF8") { return .otherKind("a GIF picture") }
        if starts("II*\0") || starts("MM\0*") { return .otherKind("a TIFF picture") }
        if starts("ftypavi", at: 4) { return .otherKind("an AVIF picture") }
        if starts("ftyphei", at: 4) || starts("ftypmif1", at: 4) { return .otherKind("a HEIC picture") }
        if starts("<svg") || starts("<?xml") { return .otherKind("an SVG or another XML file") }
        let text = String(decoding: bytes.prefix(100), as: UTF8.self).lowercased()
        if text.contains("<html") || text.contains("<!doctype html") { return .otherKind("a web page") }
        return .unknownFormat
    }

    public var description: String {
        switch self {
        case .unknownFormat:
            "is no JPEG, PNG or WebP picture; convert it to one of these"
        case .otherKind(let kind): "is \(kind), which is not read; convert it to JPEG, PNG or WebP"
        case .empty: "is empty; get the file again"
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
