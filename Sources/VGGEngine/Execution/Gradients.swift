/// Gradients of several batches, added up to those of all their examples: what one update is made by where a batch does
/// not fit into memory. (The statistics of batch norm stay those of each batch.)
package struct GradientSum: GradientExchange {
    /// How much the next batch counts among all.
    package var share: Float = 1
    private var sum: [Float] = []

    package init() {}

    /// Adds a batch's gradients of its mean loss, and replaces them by the sum.
    package mutating func exchange(_ gradients: inout MutableSpan<Float>) {
        if sum.isEmpty { sum = Array(repeating: 0, count: gradients.count) }
        sum.withUnsafeMutableBufferPointer { sum in
            gradients.withUnsafeMutableBufferPointer { gradients in
                for index in sum.indices {
                    sum[index] += share * gradients[index]
                    gradients[index] = sum[index]
                }
            }
        }
    }

    /// Begins anew.
    package mutating func clear() {
        sum.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }
}

/// Gradients that together are too long are made shorter: torch's `clip_grad_norm_`.
package enum GradientClipping {
    /// What gradients are multiplied by; nil if they stay as they are.
    /// - Parameters:
    ///   - norm: the Euclidean norm of all of them.
    ///   - maxNorm: the greatest that they may have.
    package static func factor(norm: Double, maxNorm: Float) -> Float? {
        let factor = Float(Double(maxNorm) / (norm + 1e-6))
        // What is not a number stays it, and is seen.
        return factor >= 1 ? nil : factor
    }

    /// - Returns: the norm before.
    static func clip(_ gradients: inout MutableSpan<Float>, to maxNorm: Float) -> Double {
        gradients.withUnsafeMutableBufferPointer { gradients in
            let norm = squares(UnsafeBufferPointer(gradients)).squareRoot()
            if let factor = factor(norm: norm, maxNorm: maxNorm) {
                for index in gradients.indices { gradients[index] *= factor }
            }
            return norm
        }
    }

    /// The sum of the squares, in an order of its own: eight sums of every eighth number.
    private static func squares(_ numbers: UnsafeBufferPointer<Float>) -> Double {
        var sums = SIMD8<Double>.zero
        let whole = numbers.count / 8 * 8
        for start in stride(from: 0, to: whole, by: 8) {
            var eight = SIMD8<Double>.zero
            for lane in 0..<8 { eight[lane] = Double(numbers[start + lane]) }
            sums += eight * eight
        }
        return numbers[whole...].reduce(sums.sum()) { $0 + Double($1) * Double($1) }
    }
}
