import VGGEngine
import VGGModel

extension CPUPlan {
    func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        var gradients = MutableSpan(_unsafeStart: gradientValues.floats, count: weights.map.trained)
        try body(&gradients)
    }

    func update(with optimizer: SGD, after pass: Pass) {
        for part in weights.map.trainedParts where pass.optimizer == nil || !part.isUpdatedAtOnce {
            let update = Update(optimizer.rule(for: part.group), momentum: momentumValues.floats)
            context.workers.run(over: part.range.count, grain: 4096) { range, _ in
                let offset = part.range.lowerBound + range.lowerBound
                update.apply(
                    context.kernels, gradients: gradientValues.floats + offset, values: weights.values.floats,
                    offset: offset, count: range.count)
            }
        }
        weights.advance(withFrozen: false)
    }

    func read(_ content: ParameterContent, of parameter: Int) -> [Float] {
        let entry = weights.map.entries[parameter]
        return entry.layout.unpack(
            buffer(content) + entry.offset,
            count: layout.plan.parameters[parameter].description.shape.reduce(1, *), context)
    }

    func write(_ tensor: Tensor, to content: ParameterContent, of parameter: Int) {
        let entry = weights.map.entries[parameter]
        if content == .value { weights.advance(withFrozen: true) }
        entry.layout.pack(tensor.values, to: buffer(content) + entry.offset, context)
    }

    func clearMomentum() { momentumValues.floats.update(repeating: 0, count: weights.map.trained) }

    private func buffer(_ content: ParameterContent) -> Floats {
        switch content {
        case .value: weights.values.floats
        case .gradient: gradientValues.floats
        case .momentum: momentumValues.floats
        }
    }
}
