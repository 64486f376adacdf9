import VGGEngine
import VGGModel

/// Outputs that are compared with those of other images.
extension CPUPlan {
    func scaledOutput(of step: Int, by factors: [Float], isNormalized: Bool, count: Int) -> [Float] {
        let map = layout.steps[step].output
        let first = comparedOutput(of: step, factors)
        return [Float](unsafeUninitializedCapacity: count * map.count) { scaled, initialized in
            factors.withUnsafeBufferPointer { factors in
                guard let scaled = scaled.baseAddress, let factors = factors.baseAddress else { return }
                context.workers.run(over: count * map.height, grain: 1) { rows, _ in
                    for place in rows {
                        let (image, y) = place.quotientAndRemainder(dividingBy: map.height)
                        let from = first + image * map.imageStride + y * map.rowStride
                        let to = scaled + (image * map.height + y) * map.plain.rowStride
                        for start in stride(from: 0, to: map.plain.rowStride, by: map.channels) {
                            let pixel = Pixel(from + start, map.channels, isNormalized: isNormalized)
                            for channel in 0..<map.channels {
                                to[start + channel] = pixel.values[channel] * pixel.share * factors[channel]
                            }
                        }
                    }
                }
            }
            initialized = count * map.count
        }
    }

    func squaredDistances(of step: Int, by factors: [Float], isNormalized: Bool, count: Int) -> [Double] {
        let map = layout.steps[step].output
        let first = comparedOutput(of: step, factors)
        var rows = [Double](repeating: 0, count: count / 2 * map.height)
        factors.withUnsafeBufferPointer { factors in
            rows.withUnsafeMutableBufferPointer { rows in
                guard let weights = factors.baseAddress else { return }
                // Each task writes those of its rows.
                nonisolated(unsafe) let rows = rows
                context.workers.run(over: rows.count, grain: 1) { places, _ in
                    for place in places {
                        let (pair, y) = place.quotientAndRemainder(dividingBy: map.height)
                        let a = first + 2 * pair * map.imageStride + y * map.rowStride
                        let b = a + map.imageStride
                        for start in stride(from: 0, to: map.plain.rowStride, by: map.channels) {
                            let own = Pixel(a + start, map.channels, isNormalized: isNormalized)
                            let other = Pixel(b + start, map.channels, isNormalized: isNormalized)
                            rows[place] += Double(own.squaredDistance(to: other, weights))
                        }
                    }
                }
            }
        }
        return (0..<count / 2).map { pair in
            rows[pair * map.height..<(pair + 1) * map.height].reduce(0, +)
        }
    }

    /// The first image's first pixel.
    private func comparedOutput(of step: Int, _ factors: [Float]) -> Floats {
        let map = layout.steps[step].output
        precondition(
            map.element == .float32 && map.channels == factors.count, "outputs are compared in fp32")
        return activation(step + 1).assumingMemoryBound(to: Float.self) + map.interior
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
