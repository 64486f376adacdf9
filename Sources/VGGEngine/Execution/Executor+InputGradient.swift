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
        try inputGradient(of: images, withRespectTo: layer, isGuided: isGuided) {
            (outputs: [Int: KeptOutput]) throws(Failure) -> [Int: [OutputGradient]] in
            try function(outputs.mapValues(\.tensor)).mapValues { [.values($0)] }
        }
    }

    /// The same where the function gets the outputs without a copy, and may say how the number changes with their Gram
    /// matrices.
    /// - Parameter function: returns, for each layer that the number depends on, gradients that are added up.
    public func inputGradient<Failure: Error>(
        of images: ImageBatch, withRespectTo layer: Int? = nil, isGuided: Bool = false,
        _ function: (_ outputs: [Int: KeptOutput]) throws(Failure) -> [Int: [OutputGradient]]
    ) throws(Failure) -> Tensor {
        precondition(plan.mode == .inputGradient, "the plan is not for gradients of its input")
        let count = images.count
        let pass = Pass(SumTree(images: count), isTraining: true)
        var outputs: [Int: KeptOutput] = [:]
        // A plan for gradients keeps them all until the backward pass.
        visitKeptLayers(of: images, pass) { outputs[$0.layer] = $0 }
        let gradients = try function(outputs)
        let first = layer.map { layer in
            guard let step = plan.step(of: layer) else { preconditionFailure("the layer has no step") }
            return step + 1
        }
        var added: [Int: [OutputGradient]] = [:]
        for (layer, parts) in gradients.sorted(by: { $0.key < $1.key }) {
            guard let output = outputs[layer], let step = plan.step(of: layer) else {
                preconditionFailure("a gradient is of a kept layer's output")
            }
            for part in parts { part.check(fits: output.shape) }
            added[step, default: []] += parts
        }
        guard let last = added.filter({ !$0.value.isEmpty }).keys.max() else {
            preconditionFailure("the function depends on no layer")
        }
        func write(_ step: Int) {
            for (place, gradient) in (added[step] ?? []).enumerated() {
                writeGradient(gradient, of: step, count: count, adding: step < last || place > 0)
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

    private func writeGradient(
        _ gradient: OutputGradient, of step: Int, count: Int, adding: Bool
    ) {
        switch gradient {
        case .values(let tensor):
            bound.writeGradient(tensor.values.array, of: step, count: count, adding: adding)
        case .gram(let tensor):
            // Each channel is in the matrix twice: as a row and as a column.
            bound.writeGradient(
                multiplying: tensor.values.array.map { 2 * $0 }, of: step, channels: tensor.shape[1],
                count: count,
                adding: adding)
        }
    }
}

extension OutputGradient {
    /// - Precondition: it is one of an output of this shape.
    fileprivate func check(fits shape: [Int]) {
        switch self {
        case .values(let tensor):
            precondition(tensor.shape == shape, "a gradient has the shape of its output")
        case .gram(let tensor):
            precondition(tensor.shape == [shape[0], shape[1], shape[1]], "a Gram matrix has a row a channel")
        }
    }
}
