/// Bilinear resizing of 8-bit images with the very results of Pillow's `Image.resize(…, BILINEAR)`.
///
/// Pillow's bilinear filter is a triangle that widens when an image shrinks, so that every input pixel counts
/// (antialiasing). Its 8-bit path works in fixed point with 22 fractional bits, along one axis and then along
/// the other, rounded to bytes in between. The weights are computed once, here; resizing only multiplies.
public struct Resampler: Sendable {
    public let inputHeight: Int
    public let inputWidth: Int
    public let outputHeight: Int
    public let outputWidth: Int
    public let channels: Int
    /// nil where the size stays the same: that pass would copy.
    private let columns: Taps?
    private let rows: Taps?

    /// - Precondition: all sizes are positive.
    public init(height: Int, width: Int, toHeight: Int, width toWidth: Int, channels: Int) {
        precondition(min(height, width, toHeight, toWidth, channels) > 0, "an image has at least one pixel")
        inputHeight = height
        inputWidth = width
        outputHeight = toHeight
        outputWidth = toWidth
        self.channels = channels
        columns = width == toWidth ? nil : Taps(from: width, to: toWidth)
        rows = height == toHeight ? nil : Taps(from: height, to: toHeight)
    }

    var inputCount: Int { inputHeight * inputWidth * channels }
    var outputCount: Int { outputHeight * outputWidth * channels }

    /// Resizes one image `[height, width, channels]`.
    public func resize(_ image: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: outputCount) { output, count in
            image.withUnsafeBufferPointer { resize($0, into: output) }
            count = outputCount
        }
    }

    /// Resizes one image into memory of the output's size.
    func resize(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) {
        precondition(input.count == inputCount && output.count >= outputCount, "the sizes must match")
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        switch (columns, rows) {
        case (nil, nil):
            target.update(from: source, count: inputCount)
        case (let columns?, nil):
            resizeColumns(columns, source, into: target, height: inputHeight)
        case (nil, let rows?):
            resizeRows(rows, source, into: target, width: inputWidth)
        case (let columns?, let rows?):
            let middleCount = isRowsFirst ? outputHeight * inputWidth : inputHeight * outputWidth
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: middleCount * channels) { middle in
                guard let middle = middle.baseAddress else { return }
                if isRowsFirst {
                    resizeRows(rows, source, into: middle, width: inputWidth)
                    resizeColumns(columns, middle, into: target, height: outputHeight)
                } else {
                    resizeColumns(columns, source, into: middle, height: inputHeight)
                    resizeRows(rows, middle, into: target, width: outputWidth)
                }
            }
        }
    }

    /// Whether the number of rows changes before the number of columns.
    ///
    /// The order matters because of the rounding in between. Pillow begins with the columns, and since
    /// version 13 with the rows if they shrink by more than twice as many pixels as the columns do.
    private var isRowsFirst: Bool {
        outputHeight < inputHeight && inputHeight - outputHeight > 2 * (inputWidth - outputWidth)
    }

    /// From `[height, inputWidth, channels]` to `[height, outputWidth, channels]`.
    private func resizeColumns(
        _ taps: Taps, _ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, height: Int
    ) {
        taps.withUnsafePointers { firsts, weights in
            for row in 0..<height {
                let line = source + row * inputWidth * channels
                var place = target + row * outputWidth * channels
                for column in 0..<outputWidth {
                    let first = line + Int(firsts[column]) * channels
                    let weight = weights + column * taps.count
                    for channel in 0..<channels {
                        var sum = Taps.half
                        for tap in 0..<taps.count {
                            sum &+= Int32(first[tap * channels + channel]) &* weight[tap]
                        }
                        place.pointee = Taps.byte(sum)
                        place += 1
                    }
                }
            }
        }
    }

    /// From `[inputHeight, width, channels]` to `[outputHeight, width, channels]`.
    private func resizeRows(
        _ taps: Taps, _ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, width: Int
    ) {
        let length = width * channels
        // Whole lines at a time, so that the compiler can use vectors.
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: length) { sums in
            guard let sums = sums.baseAddress else { return }
            taps.withUnsafePointers { firsts, weights in
                for row in 0..<outputHeight {
                    let first = source + Int(firsts[row]) * length
                    for place in 0..<length { sums[place] = Taps.half }
                    for tap in 0..<taps.count {
                        let line = first + tap * length
                        let weight = weights[row * taps.count + tap]
                        for place in 0..<length { sums[place] &+= Int32(line[place]) &* weight }
                    }
                    let output = target + row * length
                    for place in 0..<length { output[place] = Taps.byte(sums[place]) }
                }
            }
        }
    }
}

/// The input pixels, and their weights, that make up each output pixel along one axis.
private struct Taps: Sendable {
    private static let fractionalBits: Int32 = 22
    /// Half a unit: where a sum begins so that dropping the fraction rounds.
    static let half: Int32 = 1 << (fractionalBits - 1)

    /// How many input pixels each output pixel sees; weights beyond its own filter are zero.
    let count: Int
    /// The first input pixel of each output pixel.
    private let firsts: [Int32]
    /// `[output, count]` in fixed point.
    private let weights: [Int32]

    init(from input: Int, to output: Int) {
        let scale = Double(input) / Double(output)
        let support = max(scale, 1)
        let filters = (0..<output).map { place in
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
        firsts = starts.map { Int32($0) }
        weights = zip(starts, filters).flatMap { start, filter in
            let padding = filter.first - start
            return [Int32](repeating: 0, count: padding) + filter.weights
                + [Int32](repeating: 0, count: count - padding - filter.weights.count)
        }
    }

    /// The byte that a sum rounds to. Weights round to a sum slightly above 1, so white could overflow.
    @inline(__always)
    static func byte(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: min(sum >> fractionalBits, 255)) }

    func withUnsafePointers(_ body: (UnsafePointer<Int32>, UnsafePointer<Int32>) -> Void) {
        firsts.withUnsafeBufferPointer { firsts in
            weights.withUnsafeBufferPointer { weights in
                if let firsts = firsts.baseAddress, let weights = weights.baseAddress {
                    body(firsts, weights)
                }
            }
        }
    }
}
