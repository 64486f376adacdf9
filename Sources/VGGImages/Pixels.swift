/// The bytes of a picture, upright: grey, or red, green and blue.
public struct Pixels: Hashable, Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    /// `[height, width, channels]`, 0 (black) to 255.
    public let bytes: ArraySlice<UInt8>

    /// - Precondition: there are `height × width × channels` bytes.
    public init(height: Int, width: Int, channels: Int, bytes: ArraySlice<UInt8>) {
        precondition(
            min(height, width, channels) > 0 && bytes.count == height * width * channels,
            "\(bytes.count) bytes are not an image of \(height)×\(width)×\(channels)")
        self.height = height
        self.width = width
        self.channels = channels
        self.bytes = bytes
    }

    public init(_ image: RGBImage) {
        self.init(height: image.height, width: image.width, channels: 3, bytes: image.pixels[...])
    }

    /// The same in colours or in grey. Grey is Pillow's `convert("L")`, ITU-R 601-2's luma in 16 bits of fraction; grey
    /// as colours is three times the same.
    /// - Precondition: the counts are equal, or 1 and 3.
    public func with(channels wanted: Int) -> Pixels {
        guard wanted != channels else { return self }
        precondition(
            [1, 3].contains(wanted) && [1, 3].contains(channels),
            "\(channels) channels do not become \(wanted)")
        let converted = bytes.withUnsafeBufferPointer { bytes in
            wanted == 3
                ? bytes.flatMap { [$0, $0, $0] }
                : (0..<width * height).map { place in
                    let red = UInt32(bytes[3 * place])
                    let green = UInt32(bytes[3 * place + 1])
                    let blue = UInt32(bytes[3 * place + 2])
                    return UInt8((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
                }
        }
        return Pixels(height: height, width: width, channels: wanted, bytes: converted[...])
    }
}
