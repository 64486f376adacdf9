/// Sums over many numbers: of eight at a time in single precision, as a processor adds them, and of some thousands each
/// in double precision, in an order that follows from the count alone.
extension [Float] {
    private static var block: Int { 4096 }

    /// The sum of the products.
    func dot(_ other: [Float]) -> Double { sum(with: other) { $0 * $1 } }

    func squaredDistance(to other: [Float]) -> Double { sum(with: other) { ($0 - $1) * ($0 - $1) } }

    @inline(__always)
    private func sum(
        with other: [Float], _ term: (SIMD8<Float>, SIMD8<Float>) -> SIMD8<Float>
    ) -> Double {
        precondition(count == other.count, "both have as many numbers")
        return withUnsafeBytes { own in
            other.withUnsafeBytes { other in
                var total = 0.0
                let whole = count / 8 * 8
                for start in stride(from: 0, to: whole, by: Self.block) {
                    var sums = SIMD8<Float>.zero
                    for place in stride(from: start, to: Swift.min(start + Self.block, whole), by: 8) {
                        sums += term(
                            own.loadUnaligned(fromByteOffset: 4 * place, as: SIMD8<Float>.self),
                            other.loadUnaligned(fromByteOffset: 4 * place, as: SIMD8<Float>.self))
                    }
                    total += Double(sums.sum())
                }
                for place in whole..<count {
                    let (a, b) = (
                        own.loadUnaligned(fromByteOffset: 4 * place, as: Float.self),
                        other.loadUnaligned(fromByteOffset: 4 * place, as: Float.self)
                    )
                    total += Double(term(SIMD8(a, 0, 0, 0, 0, 0, 0, 0), SIMD8(b, 0, 0, 0, 0, 0, 0, 0)).sum())
                }
                return total
            }
        }
    }

    /// Adds the other's numbers times a factor.
    mutating func add(_ other: [Float], times factor: Float) {
        precondition(count == other.count, "both have as many numbers")
        withUnsafeMutableBufferPointer { own in
            other.withUnsafeBufferPointer { other in
                for place in own.indices { own[place] += factor * other[place] }
            }
        }
    }
}
