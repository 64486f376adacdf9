import CVGGKernels
import VGGEngine
import VGGModel

/// How the gradient of a convolution's input is dealt out where its weights have none: in bands of its rows. The full gradient
/// that a band is made of lies in a worker's scratch memory, so small that it is still in a cache when it is read.
struct GradientBands {
    /// Rows that are not parted: of Winograd's tiles.
    private static let unit = 4
    /// Bytes of a band's map that are worth it that their neighbours' rows are made again.
    private static let bytes = 2 << 20

    private let height: Int
    /// Of each image.
    let count: Int
    /// No band has more rows.
    let longest: Int
    /// Numbers from one image's map to the next, and from the start of a map to the first that the band reads.
    let stride, start: Int
    /// Rows before and after those that are read: a pooled row is of two.
    let spare: Int

    /// - Parameter mirrored: rows of a reflected border, which are in one band with those that they mirror.
    init(
        _ convolution: Convolution, _ map: GradientMap, input: ActivationLayout, pool: Bool, mirrored: Int,
        batchSize: Int, threads: Int
    ) {
        height = input.height
        spare = pool ? convolution.stride : 0
        let row = map.backward.x_row
        let beside = convolution.kernel - 1
        let units = max(1, height / Self.unit)
        // Of Winograd's tiles; every task reads all weights.
        let tiles = (input.width + Self.unit - 1) / Self.unit
        func rows(_ wanted: Int) -> Int { (wanted + tiles - 1) / tiles }
        let inCache = (Self.bytes / (row * MemoryLayout<Float>.stride) - beside) / Self.unit
        let most = max(1, inCache, rows(vgg_winograd_block(convolution.outChannels)))
        // A band has four rows at least.
        count =
            mirrored > 1
            ? 1
            : min(
                ((units + most - 1) / most).roundedUp(to: max(1, threads / batchSize)),
                max(1, units / rows(Int(VGG_WINOGRAD_BLOCK))))
        // With the rows that are left.
        longest = min(height, (units + count - 1) / count * Self.unit + Self.unit - 1)
        stride = (longest + beside + 2 * spare) * row
        start = spare * row + map.offset * map.map.channels
    }

    subscript(band: Int) -> Range<Int> {
        let units = max(1, height / Self.unit)
        let end = band + 1 == count ? height : units * (band + 1) / count * Self.unit
        return units * band / count * Self.unit..<end
    }
}
