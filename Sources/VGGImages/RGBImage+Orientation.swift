/// How a stored picture must be turned to be upright: EXIF's tag 0x0112 (Exif 2.32, section 4.6.4 A).
enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case flippedHorizontally, turned180, flippedVertically
    case transposed, turnedClockwise, transverse, turnedCounterclockwise

    /// Whether rows become columns.
    var swapsAxes: Bool { rawValue >= 5 }
    /// Whether the stored columns are read from right to left.
    var flipsColumns: Bool { [2, 3, 7, 8].contains(rawValue) }
    /// Whether the stored rows are read from bottom to top.
    var flipsRows: Bool { [3, 4, 6, 7].contains(rawValue) }
}

extension RGBImage {
    /// The upright picture of one that was stored with this orientation.
    func turned(_ orientation: Orientation) -> RGBImage {
        guard orientation != .upright else { return self }
        // How far apart neighbours along the stored columns and rows are, and where the first pixel is.
        let column = orientation.flipsColumns ? -3 : 3
        let row = orientation.flipsRows ? -3 * width : 3 * width
        let start =
            (orientation.flipsColumns ? 3 * (width - 1) : 0)
            + (orientation.flipsRows ? 3 * width * (height - 1) : 0)
        let (newWidth, newHeight) = orientation.swapsAxes ? (height, width) : (width, height)
        let (right, down) = orientation.swapsAxes ? (row, column) : (column, row)
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { output, count in
            pixels.withUnsafeBufferPointer { input in
                guard let input = input.baseAddress, let output = output.baseAddress else { return }
                // In tiles, so that a turned column's neighbours are still in the cache.
                let tile = 32
                for top in stride(from: 0, to: newHeight, by: tile) {
                    for left in stride(from: 0, to: newWidth, by: tile) {
                        for y in top..<min(top + tile, newHeight) {
                            var source = input + start + y * down + left * right
                            var target = output + 3 * (y * newWidth + left)
                            for _ in left..<min(left + tile, newWidth) {
                                (target[0], target[1], target[2]) = (source[0], source[1], source[2])
                                source += right
                                target += 3
                            }
                        }
                    }
                }
            }
            count = pixels.count
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: turned)
    }
}
