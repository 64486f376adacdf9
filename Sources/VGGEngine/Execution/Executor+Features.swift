import VGGModel

extension Executor {
    /// The outputs of the plan's kept layers, in inference mode.
    /// - Returns: for each kept layer [count, channels, height, width], or [count, features] of a vector.
    public func features(_ images: ImageBatch) -> [Int: Tensor] {
        let count = images.count
        var features: [Int: Tensor] = [:]
        forward(Pass(SumTree(images: count), isTraining: false), images) { step in
            for layer in plan.keptLayers where plan.step(of: layer) == step {
                features[layer] = Tensor(
                    shape: shape(of: layer, count: count), values: bound.output(of: step, count: count))
            }
        }
        return features
    }

    /// A kept layer's output for one image, and the gradient of a logit with respect to it: both [1, channels,
    /// height, width]. Of a training plan in single precision.
    package func mapsAndGradients(of image: ImageBatch, logit: Int, layer: Int) -> (
        maps: Tensor, gradients: Tensor
    ) {
        precondition(
            plan.mode == .training && plan.precision == .fp32, "gradients need a training plan in fp32")
        var maps: [Float] = []
        let target = plan.step(of: layer) ?? 0
        let pass = Pass(SumTree(images: 1), isTraining: true, needsWeightGradients: false)
        forward(pass, image) { step in
            if step == target { maps = bound.output(of: step, count: 1) }
        }
        // What `backward` has left is overwritten.
        storedPass = nil
        bound.setGradient(ofLogit: logit)
        backward(pass, downTo: target + 1)
        let shape = shape(of: layer, count: 1)
        return (
            Tensor(shape: shape, values: maps),
            Tensor(shape: shape, values: bound.gradient(of: target, count: 1))
        )
    }

    private func shape(of layer: Int, count: Int) -> [Int] {
        [count] + plan.network.layers[layer].output.dimensions
    }
}
