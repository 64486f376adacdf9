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
        let parts = weights.map.trainedParts.filter { pass.optimizer == nil || !$0.isUpdatedAtOnce }
        let pieces = UpdateTasks(parts, threads: context.workers.threads).pieces
        context.workers.run(pieces.count) { task, _ in
            let (group, range) = (pieces[task].group, pieces[task].range)
            Update(optimizer.rule(for: group), momentum: momentumValues.floats).apply(
                context.kernels, gradients: gradientValues.floats + range.lowerBound,
                values: weights.values.floats, offset: range.lowerBound, count: range.count)
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
