import Testing
import VGGEngine
import VGGModel

extension InstructionSet {
    /// Every one that has kernels of mixed precision of its own and can run here, plain C first.
    static let allMixed = allAvailable.filter { $0 != .avx512 }
}

/// Images in two layouts: the engine's [n, h, w, c] and, image by image, the reference's [c, h, w].
struct Images {
    var engine: [Float] = []
    var reference: [[Double]] = []

    /// Numbers in -1..<1, or what `change` makes of them.
    init(count: Int, shape: Shape, seed: UInt64, change: (Float) -> Float = { $0 }) {
        let (channels, height, width) = shape.map
        let philox = Philox(seed: seed, stream: .shuffle)
        for image in 0..<count {
            var planes = Array(repeating: 0.0, count: shape.count)
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<channels {
                        let word = philox.word(
                            sequence: UInt32(image), element: (y * width + x) * channels + c)
                        let value = change(2 * Philox.uniform(word) - 1)
                        engine.append(value)
                        planes[(c * height + y) * width + x] = Double(value)
                    }
                }
            }
            reference.append(planes)
        }
    }
}

/// Expects two arrays to agree to `tolerance` of the largest expected magnitude.
///
/// Single precision rounds each of n terms of a sum to 6e-8 of its size; the deepest sums here have some
/// thousands of terms of mixed signs, so that 2e-5 of the largest element leaves room for their order. Where
/// terms cancel to nothing (a bias before batch norm), `scale` says how large they were.
func expectClose(
    _ found: some Collection<Float>, _ expected: [Double], tolerance: Double = 2e-5, scale floor: Double = 0,
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, what, sourceLocation: sourceLocation)
    let scale = max(expected.map(abs).max() ?? 0, floor)
    let worst = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
    // A comparison that not-a-number fails.
    #expect(worst <= tolerance * scale + 1e-7, what, sourceLocation: sourceLocation)
}

/// Batch norm's initial ones and zeros would hide mistakes.
func scrambled(_ weights: [String: Tensor]) -> [String: Tensor] {
    var weights = weights
    for (index, name) in weights.keys.sorted().enumerated() where weights[name]!.shape.count == 1 {
        let philox = Philox(seed: 11, stream: .initialization)
        for element in weights[name]!.values.indices {
            weights[name]!.values[element] +=
                0.5 * Philox.uniform(philox.word(sequence: UInt32(index), element: element))
        }
    }
    return weights
}
