import VGGEngine
import VGGModel

/// Images of numbers in -1..<1, or what `change` makes of them.
func randomImages(
    count: Int, shape: Shape, seed: UInt64, labels: [Int32]? = nil, change: (Float) -> Float = { $0 }
) throws -> ImageBatch {
    let philox = Philox(seed: seed, stream: .shuffle)
    let values = (0..<count).flatMap { image in
        (0..<shape.count).map { element in
            change(2 * Philox.uniform(philox.word(sequence: UInt32(image), element: element)) - 1)
        }
    }
    return try ImageBatch(values, count: count, shape: shape, labels: labels)
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
