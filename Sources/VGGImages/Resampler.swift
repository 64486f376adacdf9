/// Bilinear resizing of 8-bit images with the very results of Pillow's `Image.resize(…, BILINEAR)`.
///
/// Pillow's bilinear filter is a triangle that widens when an image shrinks, so that every input pixel counts
/// (antialiasing). Its 8-bit path works in fixed point with 22 fractional bits, along one axis and then along
/// the other, rounded to bytes in between. The weights are computed once, here; resizing only multiplies.
/// Where only a part of the resized image is wanted, only that part is computed.
package struct Resampler: Sendable {
    /// Of what is resized, in pixels.
    package let inputHeight: Int
    /// Of what is resized, in pixels.
    package let inputWidth: Int
    /// Of what comes out, in pixels.
    package let outputHeight: Int
    /// Of what comes out, in pixels.
    package let outputWidth: Int
    /// Bytes of a pixel.
    package let channels: Int
    /// nil where all of it stays as it is: that pass would copy.
    private let columns: Taps?
    private let rows: Taps?
    /// Whether the number of rows changes before the number of columns.
    ///
    /// The order matters because of the rounding in between. Pillow begins with the columns, and since
    /// version 13 with the rows if they shrink by more than twice as many pixels as the columns do.
    private let isRowsFirst: Bool

    /// - Parameters:
    ///   - rows: those of the resized image that are wanted; the others are not even computed.
    ///   - columns: the same for its columns.
    /// - Precondition: all sizes are positive, and the rows and columns within the resized image.
    package init(
        height: Int, width: Int, toHeight: Int, width toWidth: Int, channels: Int, rows: Range<Int>? = nil,
        columns: Range<Int>? = nil
    ) {
        precondition(min(height, width, toHeight, toWidth, channels) > 0, "an image has at least one pixel")
        let rows = rows ?? 0..<toHeight
        let columns = columns ?? 0..<toWidth
        precondition(
            (0...toHeight).contains(rows.upperBound) && (0...toWidth).contains(columns.upperBound)
                && rows.lowerBound >= 0 && columns.lowerBound >= 0 && !rows.isEmpty && !columns.isEmpty,
            "what is wanted must lie within the resized image")
        inputHeight = height
        inputWidth = width
        outputHeight = rows.count
        outputWidth = columns.count
        self.channels = channels
        // A part of an axis is taken by a pass, also where the size stays.
        let (keepsColumns, keepsRows) = (columns == 0..<width, rows == 0..<height)
        self.columns =
            width == toWidth && keepsColumns ? nil : Taps(from: width, to: toWidth, wanted: columns)
        self.rows = height == toHeight && keepsRows ? nil : Taps(from: height, to: toHeight, wanted: rows)
        isRowsFirst = toHeight < height && height - toHeight > 2 * (width - toWidth)
    }

    package var inputCount: Int { inputHeight * inputWidth * channels }
    package var outputCount: Int { outputHeight * outputWidth * channels }

    /// Resizes one image `[height, width, channels]`.
    package func resize(_ image: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: outputCount) { output, count in
            image.withUnsafeBufferPointer { resize($0, into: output) }
            count = outputCount
        }
    }

    /// Resizes one image into memory of the output's size.
    package func resize(
        _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
    ) {
        precondition(input.count == inputCount && output.count >= outputCount, "the sizes must match")
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        let line = inputWidth * channels
        switch (columns, rows) {
        case (nil, nil):
            target.update(from: source, count: inputCount)
        case (let columns?, nil):
            columns.resizeColumns(source, stride: line, into: target, height: inputHeight, channels: channels)
        case (nil, let rows?):
            rows.resizeRows(source, stride: line, into: target, length: line)
        case (let columns?, let rows?):
            // In between, only what the second pass reads.
            let middleCount =
                isRowsFirst ? outputHeight * columns.inputs.count : rows.inputs.count * outputWidth
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: middleCount * channels) { middle in
                guard let middle = middle.baseAddress else { return }
                if isRowsFirst {
                    let first = columns.inputs.lowerBound
                    let length = columns.inputs.count * channels
                    rows.resizeRows(source + first * channels, stride: line, into: middle, length: length)
                    columns.resizeColumns(
                        middle, from: first, stride: length, into: target, height: outputHeight,
                        channels: channels)
                } else {
                    let first = rows.inputs.lowerBound
                    let length = outputWidth * channels
                    columns.resizeColumns(
                        source + first * line, stride: line, into: middle, height: rows.inputs.count,
                        channels: channels)
                    rows.resizeRows(middle, from: first, stride: length, into: target, length: length)
                }
            }
        }
    }
}
