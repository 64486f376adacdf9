import VGGEngine
import VGGModel

/// Outputs that are compared with those of other images.
extension CPUPlan {
    func scaledOutput(of step: Int, by factors: [Float], isNormalized: Bool, count: Int) -> [Float] {
        let map = layout.steps[step].output
        precondition(map.channels == factors.count, "there is one factor a channel")
        return [Float](unsafeUninitializedCapacity: count * map.count) { scaled, initialized in
            factors.withUnsafeBufferPointer { factors in
                guard let scaled = scaled.baseAddress, let factors = factors.baseAddress else { return }
                eachRow(of: step, images: 1, in: count) { place, row, _ in
                    let to = scaled + place * map.plain.rowStride
                    for start in stride(from: 0, to: map.plain.rowStride, by: map.channels) {
                        let pixel = Pixel(row + start, map.channels, isNormalized: isNormalized)
                        for channel in 0..<map.channels {
                            to[start + channel] = pixel.values[channel] * pixel.share * factors[channel]
                        }
                    }
                }
            }
            initialized = count * map.count
        }
    }

    func squaredDistances(of step: Int, by factors: [Float], isNormalized: Bool, count: Int) -> [Double] {
        let map = layout.steps[step].output
        precondition(map.channels == factors.count, "there is one factor a channel")
        var rows = [Double](repeating: 0, count: count / 2 * map.height)
        factors.withUnsafeBufferPointer { factors in
            rows.withUnsafeMutableBufferPointer { rows in
                guard let weights = factors.baseAddress else { return }
                // Each task writes those of its rows.
                nonisolated(unsafe) let rows = rows
                eachRow(of: step, images: 2, in: count / 2) { place, a, b in
                    for start in stride(from: 0, to: map.plain.rowStride, by: map.channels) {
                        let own = Pixel(a + start, map.channels, isNormalized: isNormalized)
                        let other = Pixel(b + start, map.channels, isNormalized: isNormalized)
                        rows[place] += Double(own.squaredDistance(to: other, weights))
                    }
                }
            }
        }
        return (0..<count / 2).map { pair in
            rows[pair * map.height..<(pair + 1) * map.height].reduce(0, +)
        }
    }

    /// Calls `body` for each row of groups of images, with its place among all rows of a map, and that row of the group's
    /// first image and of its last, as floats.
    private func eachRow(
        of step: Int, images: Int, in groups: Int,
        _ body: (_ place: Int, _ first: Floats, _ last: Floats) -> Void
    ) {
        let map = layout.steps[step].output
        let isConverted = map.element != .float32
        context.workers.run(over: groups * map.height, grain: 1) { places, _ in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: isConverted ? 2 * map.plain.rowStride : 0)
            {
                let converted = $0.baseAddress
                func row(_ y: Int, of image: Int, to converted: Floats?) -> Floats {
                    let start = image * map.imageStride + map.interior + y * map.rowStride
                    let memory = activation(step + 1) + start * map.element.size
                    guard isConverted, let converted else {
                        return memory.assumingMemoryBound(to: Float.self)
                    }
                    map.element.load(memory, to: converted, count: map.plain.rowStride, context.mixedKernels)
                    return converted
                }
                for place in places {
                    let (group, y) = place.quotientAndRemainder(dividingBy: map.height)
                    let first = row(y, of: group * images, to: converted)
                    let last =
                        images == 1
                        ? first
                        : row(y, of: (group + 1) * images - 1, to: converted.map { $0 + map.plain.rowStride })
                    body(place, first, last)
                }
            }
        }
    }
}

/// The channels of a pixel, and what they are multiplied by to be compared. Sums are made eight at a time, as a
/// processor adds.
private struct Pixel {
    let values: Floats
    let count: Int
    /// One by the pixel's length, or one.
    let share: Float

    @inline(__always)
    init(_ values: Floats, _ count: Int, isNormalized: Bool) {
        (self.values, self.count) = (values, count)
        guard isNormalized else {
            share = 1
            return
        }
        var sums = SIMD8<Float>.zero
        let whole = count / 8 * 8
        for place in stride(from: 0, to: whole, by: 8) {
            let eight = Self.eight(values + place)
            sums += eight * eight
        }
        let squares = (whole..<count).reduce(sums.sum()) { $0 + values[$1] * values[$1] }
        share = 1 / (squares.squareRoot() + 1e-10)
    }

    @inline(__always)
    func squaredDistance(to other: Pixel, _ factors: UnsafePointer<Float>) -> Float {
        var sums = SIMD8<Float>.zero
        let whole = count / 8 * 8
        for place in stride(from: 0, to: whole, by: 8) {
            let scale = Self.eight(factors + place)
            let difference =
                (Self.eight(values + place) * share - Self.eight(other.values + place) * other.share) * scale
            sums += difference * difference
        }
        return (whole..<count).reduce(sums.sum()) {
            let difference = (values[$1] * share - other.values[$1] * other.share) * factors[$1]
            return $0 + difference * difference
        }
    }

    @inline(__always)
    private static func eight(_ numbers: UnsafePointer<Float>) -> SIMD8<Float> {
        UnsafeRawPointer(numbers).loadUnaligned(as: SIMD8<Float>.self)
    }
}
