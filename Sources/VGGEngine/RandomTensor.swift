import VGGModel

/// Tensors of random numbers: the sequence's element decides each.
struct RandomTensor {
    let shape: [Int]
    let seed: UInt64
    let sequence: UInt32

    private var count: Int { shape.reduce(1, *) }

    /// Uniform in -bound..<bound.
    func uniform(bound: Float) -> Tensor {
        generate { words, store in
            for lane in 0..<4 { store(lane, (2 * Philox.uniform(words[lane]) - 1) * bound) }
        }
    }

    /// Normal with mean zero.
    func normal(deviation: Float) -> Tensor {
        generate { words, store in
            for pair in [0, 2] {
                let (first, second) = Philox.normals(words[pair], words[pair + 1])
                store(pair, Float(first) * deviation)
                store(pair + 1, Float(second) * deviation)
            }
        }
    }

    private func generate(_ body: (SIMD4<UInt32>, (Int, Float) -> Void) -> Void) -> Tensor {
        let philox = Philox(seed: seed, stream: .initialization)
        let count = count
        var values = [Float](repeating: 0, count: count)
        for start in stride(from: 0, to: count, by: 4) {
            body(philox.words(sequence: sequence, index: UInt64(start / 4))) { lane, value in
                if start + lane < count { values[start + lane] = value }
            }
        }
        return Tensor(shape: shape, values: values)
    }
}
