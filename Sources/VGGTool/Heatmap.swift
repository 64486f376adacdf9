import VGGKit

/// A small map of numbers, to be drawn over a picture.
struct Heatmap {
    private let map: Tensor

    /// - Parameter map: [height, width], no number negative.
    init(_ map: Tensor) { self.map = map }

    /// The picture with the map, stretched over it, in colours from dark to bright; where the map is zero the
    /// picture is darkened.
    func drawn(over picture: RGBImage) -> Bitmap {
        let largest = map.values.max() ?? 0
        var bitmap = Bitmap(width: picture.width, height: picture.height)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let value = largest > 0 ? Double(sample(x, y, of: picture) / largest) : 0
                let heat = Self.colour(value)
                let start = (y * picture.width + x) * 3
                func mixed(_ channel: Int) -> UInt8 {
                    UInt8((0.5 * Double(picture.pixels[start + channel]) + 0.5 * heat[channel]).rounded())
                }
                bitmap[x, y] = Colour(red: mixed(0), green: mixed(1), blue: mixed(2))
            }
        }
        return bitmap
    }

    /// The map at a pixel of the picture, bilinear between the centres of its cells.
    private func sample(_ x: Int, _ y: Int, of picture: RGBImage) -> Float {
        let (height, width) = (map.shape[0], map.shape[1])
        func place(_ pixel: Int, _ pixels: Int, _ cells: Int) -> (low: Int, high: Int, fraction: Float) {
            let position = (Float(pixel) + 0.5) * Float(cells) / Float(pixels) - 0.5
            let clamped = min(max(position, 0), Float(cells - 1))
            let low = Int(clamped)
            return (low, min(low + 1, cells - 1), clamped - Float(low))
        }
        let (top, bottom, down) = place(y, picture.height, height)
        let (left, right, across) = place(x, picture.width, width)
        func row(_ y: Int) -> Float {
            map.values[y * width + left] * (1 - across) + map.values[y * width + right] * across
        }
        return row(top) * (1 - down) + row(bottom) * down
    }

    /// Black, violet, red, orange, light yellow: brightness grows evenly, so that it also reads in grey.
    private static func colour(_ value: Double) -> SIMD3<Double> {
        let stops: [SIMD3<Double>] = [
            [0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164],
        ]
        let position = value * Double(stops.count - 1)
        let low = min(Int(position), stops.count - 2)
        return stops[low] + (stops[low + 1] - stops[low]) * (position - Double(low))
    }
}
