/// The input pixels, and their weights, that make up each output pixel along one axis.
struct Taps: Sendable {
    private static let fractionalBits: Int32 = 22
    /// Half a unit: where a sum begins so that dropping the fraction rounds.
    private static let half: Int32 = 1 << (fractionalBits - 1)

    /// The input pixels that are read.
    let inputs: Range<Int>
    /// How many input pixels each output pixel sees; weights beyond its own filter are zero.
    private let count: Int
    /// The first input pixel of each output pixel.
    private let firsts: [Int32]
    /// `[output, count]` in fixed point.
    private let weights: [Int32]

    /// - Parameter wanted: the output pixels to prepare, of `output`; not empty.
    init(from input: Int, to output: Int, wanted: Range<Int>) {
        let scale = Double(input) / Double(output)
        let support = max(scale, 1)
        let filters = wanted.map { place in
            let center = (Double(place) + 0.5) * scale
            let first = max(Int(center - support + 0.5), 0)
            let end = min(Int(center + support + 0.5), input)
            let heights = (first..<end).map { pixel in
                max(0, 1 - abs((Double(pixel) - center + 0.5) * (1 / support)))
            }
            let sum = heights.reduce(0, +)
            return (first: first, weights: heights.map { Int32($0 / sum * 0x1p22 + 0.5) })
        }
        let count = filters.map(\.weights.count).max() ?? 0
        self.count = count
        // A filter at the far edge starts earlier, with zeros, so that all have `count` pixels to read.
        let starts = filters.map { min($0.first, input - count) }
        inputs = (starts.min() ?? 0)..<((starts.max() ?? 0) + count)
        firsts = starts.map { Int32($0) }
        weights = zip(starts, filters).flatMap { start, filter in
            let padding = filter.first - start
            return [Int32](repeating: 0, count: padding) + filter.weights
                + [Int32](repeating: 0, count: count - padding - filter.weights.count)
        }
    }

    /// From `[height, …, channels]`, rows `stride` bytes apart, to `[height, outputs, channels]`.
    /// - Parameter origin: the input pixel where the rows of the source begin.
    func resizeColumns(
        _ source: UnsafePointer<UInt8>, from origin: Int = 0, stride: Int,
        into target: UnsafeMutablePointer<UInt8>, height: Int, channels: Int
    ) {
        withUnsafePointers { firsts, weights in
            var place = target
            for row in 0..<height {
                let line = source + row * stride
                for column in 0..<self.firsts.count {
                    let first = line + (Int(firsts[column]) - origin) * channels
                    let weight = weights + column * count
                    if channels == 3 {
                        // One weight for all three, and three sums at a time.
                        var (red, green, blue) = (Self.half, Self.half, Self.half)
                        var pixel = first
                        for tap in 0..<count {
                            red &+= Int32(pixel[0]) &* weight[tap]
                            green &+= Int32(pixel[1]) &* weight[tap]
                            blue &+= Int32(pixel[2]) &* weight[tap]
                            pixel += 3
                        }
                        place[0] = Self.byte(red)
                        place[1] = Self.byte(green)
                        place[2] = Self.byte(blue)
                        place += 3
                        continue
                    }
                    for channel in 0..<channels {
                        var sum = Self.half
                        for tap in 0..<count {
                            sum &+= Int32(first[tap * channels + channel]) &* weight[tap]
                        }
                        place.pointee = Self.byte(sum)
                        place += 1
                    }
                }
            }
        }
    }

    /// From rows of `length` bytes, `stride` bytes apart, to `[outputs, length]`.
    /// - Parameter origin: the input row where the source begins.
    func resizeRows(
        _ source: UnsafePointer<UInt8>, from origin: Int = 0, stride: Int,
        into target: UnsafeMutablePointer<UInt8>, length: Int
    ) {
        // Whole lines at a time, so that the compiler can use vectors.
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: length) { sums in
            guard let sums = sums.baseAddress else { return }
            withUnsafePointers { firsts, weights in
                for row in 0..<self.firsts.count {
                    let first = source + (Int(firsts[row]) - origin) * stride
                    for place in 0..<length { sums[place] = Self.half }
                    for tap in 0..<count {
                        let line = first + tap * stride
                        let weight = weights[row * count + tap]
                        for place in 0..<length { sums[place] &+= Int32(line[place]) &* weight }
                    }
                    let output = target + row * length
                    for place in 0..<length { output[place] = Self.byte(sums[place]) }
                }
            }
        }
    }

    /// The byte that a sum rounds to. Weights round to a sum slightly above 1, so white could overflow.
    @inline(__always)
    private static func byte(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(sum >> fractionalBits, 255))
    }

    private func withUnsafePointers(_ body: (UnsafePointer<Int32>, UnsafePointer<Int32>) -> Void) {
        firsts.withUnsafeBufferPointer { firsts in
            weights.withUnsafeBufferPointer { weights in
                if let firsts = firsts.baseAddress, let weights = weights.baseAddress {
                    body(firsts, weights)
                }
            }
        }
    }
}
