extension RGBImage {
    /// What becomes of transparent pixels.
    public enum Alpha: Sendable {
        /// They get the colour that lies under the alpha, as in Pillow's `convert("RGB")`.
        case dropped
        /// What is seen through them is white, or black if what is opaque is light itself, so that it stands out.
        case blended
    }

    /// Above it what is opaque is light.
    private static let lightLuma = 192.0

    /// The colours of pixels of four bytes, of which the last says how opaque they are, over white or black.
    static func blended(_ pixels: [UInt8]) -> [UInt8] {
        var (luma, opacity) = (0.0, 0.0)
        for start in stride(from: 0, to: pixels.count, by: 4) {
            let alpha = Double(pixels[start + 3])
            luma += alpha * Double(Pixels.luma(pixels[start], pixels[start + 1], pixels[start + 2]))
            opacity += alpha
        }
        let beyond = luma > lightLuma * opacity ? 0 : 255
        return [UInt8](unsafeUninitializedCapacity: pixels.count / 4 * 3) { output, count in
            count = pixels.count / 4 * 3
            for place in 0..<count / 3 {
                let alpha = Int(pixels[4 * place + 3])
                for channel in 0..<3 {
                    let sum = Int(pixels[4 * place + channel]) * alpha + beyond * (255 - alpha)
                    output[3 * place + channel] = UInt8((sum + 127) / 255)
                }
            }
        }
    }
}
