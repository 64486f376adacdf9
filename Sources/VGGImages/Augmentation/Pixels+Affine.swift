import Foundation

/// Which pixel of a picture a pixel of the new one shows: x' = a x + b y + c, y' = d x + e y + f.
struct AffineMap {
    var a, b, c, d, e, f: Double

    /// torchvision's shear about the upper left corner: `amount` columns for each row, or rows for each column.
    static func shear(x amount: Double) -> AffineMap {
        AffineMap(a: 1, b: tan(throughDegrees(atan(amount))), c: 0, d: 0, e: 1, f: 0)
    }

    static func shear(y amount: Double) -> AffineMap {
        AffineMap(a: 1, b: 0, c: 0, d: tan(throughDegrees(atan(amount))), e: 1, f: 0)
    }

    /// Pillow's rotation about the middle, counterclockwise.
    static func rotation(degrees: Double, height: Int, width: Int) -> AffineMap {
        let turn = degrees.truncatingRemainder(dividingBy: 360)
        let angle = -(turn < 0 ? turn + 360 : turn) * (.pi / 180)
        // To 15 digits, so that a quarter's cosine is zero.
        let cosine = (cos(angle) * 1e15).rounded() / 1e15
        let sine = (sin(angle) * 1e15).rounded() / 1e15
        let (x, y) = (Double(width) / 2, Double(height) / 2)
        return AffineMap(
            a: cosine, b: sine, c: cosine * -x + sine * -y + x,
            d: -sine, e: cosine, f: -sine * -x + cosine * -y + y)
    }

    /// torchvision's way of an angle through degrees, with its rounding.
    private static func throughDegrees(_ angle: Double) -> Double { angle * (180 / .pi) * (.pi / 180) }
}

extension Pixels {
    /// Pillow's `transform(…, AFFINE, …)` with the nearest pixel, black where there is none.
    ///
    /// Like Pillow's it works in fixed point with 16 fractional bits; pictures with sides of 2¹⁵ pixels and more, for
    /// which Pillow does not, may differ from it.
    func transformed(by map: AffineMap) -> Pixels {
        func fixed(_ value: Double) -> Int { Int((value * 65536 + 0.5).rounded(.down)) }
        let (right, down) = ((x: fixed(map.a), y: fixed(map.d)), (x: fixed(map.b), y: fixed(map.e)))
        // The middle of the first pixel.
        let first = (
            x: fixed(map.c + map.a * 0.5 + map.b * 0.5), y: fixed(map.f + map.d * 0.5 + map.e * 0.5)
        )
        return making { input, output in
            output.initialize(repeating: 0)
            for row in 0..<height {
                var (x, y) = (first.x + row * down.x, first.y + row * down.y)
                for column in 0..<width {
                    let (fromColumn, fromRow) = (x >> 16, y >> 16)
                    if fromColumn >= 0, fromColumn < width, fromRow >= 0, fromRow < height {
                        let from = (fromRow * width + fromColumn) * channels
                        let to = (row * width + column) * channels
                        for channel in 0..<channels { output[to + channel] = input[from + channel] }
                    }
                    x += right.x
                    y += right.y
                }
            }
        }
    }
}
