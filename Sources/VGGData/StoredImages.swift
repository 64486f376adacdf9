/// Images of one size in memory: bytes, channels last.
public struct StoredImages: Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    /// `[count, height, width, channels]`, 0 (black) to 255.
    public let pixels: [UInt8]

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

    func subset(_ positions: [Int]) -> StoredImages {
        var subset: [UInt8] = []
        subset.reserveCapacity(positions.count * pixelsPerImage)
        for position in positions { subset += pixels(at: position) }
        return StoredImages(height: height, width: width, channels: channels, pixels: subset)
    }
}
