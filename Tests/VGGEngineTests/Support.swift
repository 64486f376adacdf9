import VGGEngine
import VGGModel

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
