import VGGEngine
import VGGModel

extension CPUPlan {
    func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        var gradients = MutableSpan(_unsafeStart: gradientValues.floats, count: map.trained)
        try body(&gradients)
    }

    func update(with optimizer: SGD, after pass: Pass) {
        for part in map.trainedParts where pass.optimizer == nil || !part.isUpdatedAtOnce {
            let update = Update(optimizer.rule(for: part.group), momentum: momentumValues.floats)
            context.workers.run(over: part.range.count, grain: 4096) { range, _ in
                let offset = part.range.lowerBound + range.lowerBound
                update.apply(
                    context.kernels, gradients: gradientValues.floats + offset, values: values.floats,
                    offset: offset, count: range.count)
            }
        }
        version.advance()
    }

    func read(_ content: ParameterContent, of parameter: Int) -> [Float] {
        let entry = map.entries[parameter]
        return entry.layout.unpack(
            buffer(content) + entry.offset,
            count: layout.plan.parameters[parameter].description.shape.reduce(1, *), context)
    }

    func write(_ tensor: Tensor, to content: ParameterContent, of parameter: Int) {
        let entry = map.entries[parameter]
        entry.layout.pack(tensor.values, to: buffer(content) + entry.offset, context)
        if content == .value {
            version.advance()
            frozenVersion.advance()
        }
    }

    func clearMomentum() { momentumValues.floats.update(repeating: 0, count: map.trained) }

    private func buffer(_ content: ParameterContent) -> Floats {
        switch content {
        case .value: values.floats
        case .gradient: gradientValues.floats
        case .momentum: momentumValues.floats
        }
    }
}
