import VGGModel

extension Executor {
    /// The gradient of a number that follows from the outputs of kept layers. Of a plan for the gradient of its input.
    ///
    ///     // Of what speaks for class 3 (the only kept layer is the last):
    ///     let gradient = executor.gradient(of: image) { _ in [last: oneHot(3)] }
    ///
    /// - Parameters:
    ///   - images: at most the batch size.
    ///   - layer: a kept layer, whose output the gradient is with respect to; nil for the images themselves.
    ///   - isGuided: passes back only what is positive wherever a ReLU was passed (Springenberg et al. 2015, "Striving for
    ///     Simplicity", section 3.4).
    ///   - function: gets the outputs of all kept layers, [count, channels, height, width] or [count, features], and returns
    ///     the number's gradients with respect to those that it depends on, in the same shapes; of one at least.
    /// - Returns: in the shape of the layer's output, or of the images.
    public func gradient<Failure: Error>(
        of images: ImageBatch, withRespectTo layer: Int? = nil, isGuided: Bool = false,
        _ function: (_ outputs: [Int: Tensor]) throws(Failure) -> [Int: Tensor]
    ) throws(Failure) -> Tensor {
        precondition(plan.mode == .inputGradient, "the plan is not for gradients of its input")
        let count = images.count
        let pass = Pass(SumTree(images: count), isTraining: true)
        let gradients = try function(features(images, pass))
        let first = layer.map { layer in
            guard let step = plan.step(of: layer) else { preconditionFailure("the layer has no step") }
            return step + 1
        }
        var added: [Int: [Tensor]] = [:]
        for (layer, gradient) in gradients {
            precondition(
                plan.keptLayers.contains(layer) && gradient.shape == shape(of: layer, count: count),
                "a gradient is of a kept layer's output, and has its shape")
            if let step = plan.step(of: layer) { added[step, default: []].append(gradient) }
        }
        guard let last = added.keys.max() else { preconditionFailure("the function depends on no layer") }
        func write(_ step: Int) {
            for (place, gradient) in (added[step] ?? []).enumerated() {
                bound.writeGradient(
                    Array(gradient.values), of: step, count: count, adding: step < last || place > 0)
            }
        }
        for step in stride(from: last, through: first ?? 0, by: -1) {
            write(step)
            if isGuided, plan.steps[step].operation.endsInReLU {
                let positive = bound.gradient(of: step, count: count).map { max(0, $0) }
                bound.writeGradient(positive, of: step, count: count, adding: false)
            }
            bound.backward(step, pass)
        }
        if let first { write(first - 1) }
        let shape = layer.map { self.shape(of: $0, count: count) } ?? [count] + images.shape.dimensions
        return Tensor(shape: shape, values: bound.gradient(of: first.map { $0 - 1 }, count: count))
    }
}
