/// Kinds of picture that people have in their folders and that are not read here, so that they can be named.
package enum UnreadPictures {
    /// What a file of this ending most probably is, such as "GIF"; nil for no picture, or one that is read.
    /// - Parameter fileExtension: in lower case.
    package static func kind(ofExtension fileExtension: String) -> String? { kinds[fileExtension] }

    private static let kinds: [String: String] = {
        let endings: [(kind: String, endings: String)] = [
            ("BMP", "bmp dib"), ("GIF", "gif"), ("TIFF", "tif tiff"), ("AVIF", "avif avifs"),
            ("HEIC", "heic heif hif"), ("JPEG XL", "jxl"), ("JPEG 2000", "jp2 j2k jpf jpx"),
            ("PNM", "ppm pgm pbm pnm"), ("TGA", "tga"), ("ICO", "ico"), ("SVG", "svg"), ("PSD", "psd"),
            ("raw", "dng cr2 cr3 nef arw orf rw2 raf"),
        ]
        var kinds: [String: String] = [:]
        for row in endings {
            for ending in row.endings.split(separator: " ") { kinds[String(ending)] = row.kind }
        }
        return kinds
    }()
}
