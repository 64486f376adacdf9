import VGGModel

extension Executor {
    /// The outputs of the plan's kept layers, in inference mode.
    /// - Returns: for each kept layer [count, channels, height, width], or [count, features] of a vector.
    public func features(_ images: ImageBatch) -> [Int: Tensor] {
        features(images, Pass(SumTree(images: images.count), isTraining: false))
    }

    func features(_ images: ImageBatch, _ pass: Pass) -> [Int: Tensor] {
        let count = images.count
        var features: [Int: Tensor] = [:]
        forward(pass, images) { step in
            for layer in plan.keptLayers where plan.step(of: layer) == step {
                features[layer] = Tensor(
                    shape: shape(of: layer, count: count), values: bound.output(of: step, count: count))
            }
        }
        return features
    }

    func shape(of layer: Int, count: Int) -> [Int] {
        [count] + plan.network.layers[layer].output.dimensions
    }
}
