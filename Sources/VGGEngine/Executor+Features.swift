import CVGGKernels
import VGGModel

extension Executor {
    /// The outputs of the plan's kept layers for `count` images, in inference mode.
    /// - Parameter images: [count, height, width, channels], count at most the plan's batch size.
    /// - Returns: for each kept layer [count, channels, height, width], or [count, features] of a vector.
    public func features(images: [Float], count: Int) -> [Int: Tensor] {
        var features: [Int: Tensor] = [:]
        _ = forward(Pass(count: count, isTraining: false), images: images) { step in
            for layer in plan.keptLayers where plan.step(of: layer) == step {
                features[layer] = output(of: step, as: plan.network.layers[layer].output, count: count)
            }
        }
        return features
    }

    /// What a step has just made.
    func output(of step: Int, as shape: Shape, count: Int) -> Tensor {
        tensor(activation(step + 1), plan.steps[step].output, of: shape, count: count)
    }

    /// A batch in memory, of images of `shape`, in PyTorch's order.
    func tensor(_ memory: Memory, _ layout: ActivationLayout, of shape: Shape, count: Int) -> Tensor {
        var row = [Float](repeating: 0, count: layout.plain.rowStride)
        let pixels = layout.height * layout.width
        let values = [Float](unsafeUninitializedCapacity: count * layout.count) { values, initialized in
            for image in 0..<count {
                for y in 0..<layout.height {
                    let start = image * layout.imageStride + layout.interior + y * layout.rowStride
                    row.withUnsafeMutableBufferPointer { row in
                        guard let row = row.baseAddress else { return }
                        layout.element.load(
                            memory + start * layout.element.size, to: row, count: layout.plain.rowStride,
                            context.mixedKernels)
                    }
                    for x in 0..<layout.width {
                        for channel in 0..<layout.channels {
                            values[(image * layout.channels + channel) * pixels + y * layout.width + x] =
                                row[x * layout.channels + channel]
                        }
                    }
                }
            }
            initialized = count * layout.count
        }
        return Tensor(shape: [count] + shape.dimensions, values: values)
    }
}

extension Plan {
    /// The step whose output is that of the layer. A layer without a step of its own (flatten, and in inference
    /// dropout) passes on the output of the step before.
    func step(of layer: Int) -> Int? { steps.lastIndex { $0.layers.lowerBound <= layer } }
}
