import CVGGImages

/// A picture as three bytes a pixel, upright.
public struct RGBImage: Hashable, Sendable {
    /// The most pixels a picture may have: Pillow's limit against decompression bombs.
    public static let maximumPixelCount = 2 * 89_478_485

    /// In pixels, after the EXIF orientation.
    public let width: Int
    /// In pixels, after the EXIF orientation.
    public let height: Int
    /// `[height, width, 3]`, red first.
    public let pixels: [UInt8]

    /// - Precondition: `pixels` holds `height × width × 3` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(
            min(width, height) > 0 && pixels.count == width * height * 3,
            "\(pixels.count) bytes are not an image of \(height)×\(width)×3")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Decodes a JPEG, PNG or WebP file, turned as its EXIF (or XMP) orientation says.
    ///
    /// The pixels are those of Pillow's `ImageOps.exif_transpose(Image.open(…)).convert("RGB")`: alpha is
    /// dropped unless `alpha` says otherwise; of an animation the first frame is taken; of samples of 16 bits the upper eight
    /// count, of 16-bit grey too, which Pillow clips at 255 and so makes white. Colour profiles and gamma are not applied. Only whole files are
    /// pictures; Pillow also takes a PNG that lacks nothing but its end mark.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - alpha: what becomes of transparent pixels.
    public init(decoding bytes: [UInt8], alpha: Alpha = .dropped) throws(ImageError) {
        guard let format = ImageFormat(bytes) else { throw .unread(bytes) }
        guard format.isSupported else { throw .missingLibrary(format) }
        let stored = try RGBImage(decoding: bytes, as: format, alpha)
        self = stored.turned(ImageMetadata(bytes, format: format).orientation)
    }

    private init(decoding bytes: [UInt8], as format: ImageFormat, _ alpha: Alpha) throws(ImageError) {
        var header = vgg_image()
        try format.read(bytes, into: &header)
        let (width, height) = (Int(header.width), Int(header.height))
        // The decoders allow 2³¹ at most, so that the product cannot overflow.
        guard width * height <= Self.maximumPixelCount else { throw .tooLarge(width: width, height: height) }
        guard width * height <= format.mostPixels(inBytes: bytes.count) ?? .max else {
            throw .truncated(format)
        }
        header.wants_alpha = header.has_alpha && alpha == .blended
        // Memory is taken, page by page, only as the decoder fills it.
        let count = width * height * (header.wants_alpha ? 4 : 3)
        let result: Result<[UInt8], ImageError> = Self.bytes(count: count) {
            memory throws(ImageError) in
            header.pixels = memory
            try format.read(bytes, into: &header)
        }
        let pixels = try result.get()
        self.init(
            width: width, height: height, pixels: header.wants_alpha ? Self.blended(pixels) : pixels)
    }

    /// `count` bytes that `fill` writes, or what it throws.
    private static func bytes(
        count: Int, fill: (UnsafeMutablePointer<UInt8>?) throws(ImageError) -> Void
    ) -> Result<[UInt8], ImageError> {
        var failure: ImageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, initialized in
            do throws(ImageError) {
                try fill(memory.baseAddress)
                initialized = count
            } catch {
                failure = error
            }
        }
        return failure.map { .failure($0) } ?? .success(bytes)
    }
}

extension ImageFormat {
    /// Reads the size, or the pixels if there is memory for them.
    fileprivate func read(_ bytes: [UInt8], into image: inout vgg_image) throws(ImageError) {
        let result = bytes.withUnsafeBufferPointer { bytes in
            switch self {
            case .jpeg: vgg_read_jpeg(bytes.baseAddress, bytes.count, &image)
            case .png: vgg_read_png(bytes.baseAddress, bytes.count, &image)
            case .webp: vgg_read_webp(bytes.baseAddress, bytes.count, &image)
            }
        }
        switch result {
        case VGG_IMAGE_READ: return
        case VGG_IMAGE_TRUNCATED: throw .truncated(self)
        default:
            let reason = withUnsafeBytes(of: image.problem) { problem in
                String(decoding: problem.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw .damaged(self, reason: reason.split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }
}
