import VGGImages

/// Images of one size in memory: bytes, channels last.
public struct StoredImages: Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    /// `[count, height, width, channels]`, 0 (black) to 255.
    public let pixels: [UInt8]
    /// How they become a network's input; nil to resize them as a whole and to make them 0…1.
    var preprocessing: Preprocessing?

    /// - Precondition: `pixels` holds whole images.
    public init(height: Int, width: Int, channels: Int = 1, pixels: [UInt8]) {
        precondition(
            min(height, width, channels) > 0 && pixels.count % (height * width * channels) == 0,
            "\(pixels.count) bytes are not images of \(height)×\(width)×\(channels)")
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
    }

    public var count: Int { pixels.count / pixelsPerImage }
    private var pixelsPerImage: Int { height * width * channels }

    /// The bytes of one image.
    func pixels(at index: Int) -> ArraySlice<UInt8> {
        pixels[index * pixelsPerImage..<(index + 1) * pixelsPerImage]
    }

    /// One image as a photo is that was decoded.
    /// - Precondition: the images have 1 or 3 channels.
    func photo(at index: Int) -> RGBImage {
        precondition([1, 3].contains(channels), "photos have 1 or 3 channels, not \(channels)")
        let bytes = pixels(at: index)
        return RGBImage(
            width: width, height: height,
            pixels: channels == 3 ? Array(bytes) : bytes.flatMap { [$0, $0, $0] })
    }

    func subset(_ positions: [Int]) -> StoredImages {
        var subset: [UInt8] = []
        subset.reserveCapacity(positions.count * pixelsPerImage)
        for position in positions { subset += pixels(at: position) }
        var result = StoredImages(height: height, width: width, channels: channels, pixels: subset)
        result.preprocessing = preprocessing
        return result
    }
}
