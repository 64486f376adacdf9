/// A picture of RGB pixels, 8 bits a channel, drawn on with anti-aliased strokes.
///
/// Positions are in pixels from the upper left corner; the centre of the first pixel is (0.5, 0.5).
public struct Bitmap: Hashable, Sendable {
    /// x to the right, y down.
    public typealias Point = SIMD2<Double>

    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// Rows from the top, each pixel as red, green, blue.
    public private(set) var bytes: [UInt8]

    /// - Precondition: `width` and `height` are positive.
    public init(width: Int, height: Int, background: Colour = .white) {
        precondition(width > 0 && height > 0, "a picture needs at least one pixel, not \(width)×\(height)")
        self.width = width
        self.height = height
        bytes = []
        bytes.reserveCapacity(width * height * 3)
        for _ in 0..<width * height {
            bytes.append(background.red)
            bytes.append(background.green)
            bytes.append(background.blue)
        }
    }

    /// The pixel in column `x` and row `y`.
    public subscript(x: Int, y: Int) -> Colour {
        get {
            let start = (y * width + x) * 3
            return Colour(red: bytes[start], green: bytes[start + 1], blue: bytes[start + 2])
        }
        set {
            let start = (y * width + x) * 3
            bytes[start] = newValue.red
            bytes[start + 1] = newValue.green
            bytes[start + 2] = newValue.blue
        }
    }

    /// Mixes `colour` into the pixel; `opacity` is 0 for the old colour and 1 for the new.
    mutating func blend(_ colour: Colour, opacity: Double, x: Int, y: Int) {
        let old = self[x, y]
        func mix(_ old: UInt8, _ new: UInt8) -> UInt8 {
            UInt8((Double(old) + (Double(new) - Double(old)) * opacity).rounded())
        }
        self[x, y] = Colour(
            red: mix(old.red, colour.red), green: mix(old.green, colour.green),
            blue: mix(old.blue, colour.blue))
    }

    /// Fills the rectangle between two corners; pixels that it covers in part are mixed.
    public mutating func fill(
        from upperLeft: Point, to lowerRight: Point, colour: Colour, opacity: Double = 1
    ) {
        for y in rows(upperLeft.y, lowerRight.y) {
            for x in columns(upperLeft.x, lowerRight.x) {
                let covered =
                    (min(lowerRight.x, Double(x + 1)) - max(upperLeft.x, Double(x)))
                    * (min(lowerRight.y, Double(y + 1)) - max(upperLeft.y, Double(y)))
                blend(colour, opacity: opacity * covered, x: x, y: y)
            }
        }
    }

    /// The columns of pixels that the interval touches.
    func columns(_ lower: Double, _ upper: Double) -> Range<Int> { touched(lower, upper, limit: width) }

    /// The rows of pixels that the interval touches.
    func rows(_ lower: Double, _ upper: Double) -> Range<Int> { touched(lower, upper, limit: height) }

    private func touched(_ lower: Double, _ upper: Double, limit: Int) -> Range<Int> {
        // Clamped as floating-point numbers: far outside the picture they do not fit an Int.
        let first = Int(min(max(lower.rounded(.down), 0), Double(limit)))
        let last = Int(min(max(upper.rounded(.up), 0), Double(limit)))
        return first..<max(first, last)
    }
}
