/// The bytes of a picture, upright: grey, or red, green and blue.
public struct Pixels: Hashable, Sendable {
    /// In pixels.
    public let height: Int
    /// In pixels.
    public let width: Int
    /// Bytes of a pixel: 1 for grey, 3 for red, green and blue.
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

    /// The bytes of a photo, which are not copied.
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
        let converted: [UInt8] = bytes.withUnsafeBufferPointer { bytes in
            if wanted == 3 { return bytes.flatMap { [$0, $0, $0] } }
            return (0..<width * height).map { place in
                Self.luma(bytes[3 * place], bytes[3 * place + 1], bytes[3 * place + 2])
            }
        }
        return Pixels(height: height, width: width, channels: wanted, bytes: converted[...])
    }

    /// Pillow's grey of a colour.
    static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let parts: (UInt32, UInt32, UInt32) = (
            UInt32(red) * 19595, UInt32(green) * 38470, UInt32(blue) * 7471
        )
        return UInt8((parts.0 + parts.1 + parts.2 + 0x8000) >> 16)
    }
}
