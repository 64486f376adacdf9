import VGGModel

extension Executor {
    /// The outputs of the plan's kept layers, in inference mode.
    /// - Returns: for each kept layer [count, channels, height, width], or [count, features] of a vector.
    public func features(_ images: ImageBatch) -> [Int: Tensor] {
        var features: [Int: Tensor] = [:]
        visitKeptLayers(of: images) { features[$0.layer] = $0.tensor }
        return features
    }

    func shape(of layer: Int, count: Int) -> [Int] {
        [count] + plan.network.layers[layer].output.dimensions
    }
}
