import VGGEngine
import VGGModel

extension CPUPlan {
    func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        var gradients = MutableSpan(_unsafeStart: gradientValues.floats, count: weights.map.trained)
        try body(&gradients)
    }

    func gradientsMade(by step: Int) -> [Range<Int>] {
        let parameters = layout.steps[step].parameters
        return zip(layout.plan.parameters[parameters], weights.map.entries[parameters]).compactMap {
            parameter, entry in
            // Biases and what else is few numbers lie side by side, and go out together in the end.
            guard parameter.isTrained, !parameter.group.isVector else { return nil }
            return entry.offset..<entry.offset + entry.layout.count
        }
    }

    func update(_ update: ParameterUpdate, after pass: Pass) {
        let parts = weights.map.trainedParts.filter { pass.update == nil || !$0.isUpdatedAtOnce }
        let pieces = UpdateTasks(parts, threads: context.workers.threads).pieces
        context.workers.run(pieces.count) { task, _ in
            let (group, range) = (pieces[task].group, pieces[task].range)
            Update(update, group, state).apply(
                context.kernels, gradients: gradientValues.floats + range.lowerBound,
                values: weights.values.floats, offset: range.lowerBound, count: range.count)
        }
        if let share = update.averageShare { averageStatistics(Float(share)) }
        weights.advance(withFrozen: false)
    }

    /// Moves the averages of the running statistics of what is trained.
    private func averageStatistics(_ share: Float) {
        let parameters = layout.plan.parameters
        for (entry, parameter) in zip(weights.map.entries, parameters)
        where !parameter.isTrained && layout.plan.steps[parameter.step].mode == .training {
            for place in entry.offset..<entry.offset + entry.layout.count {
                let (value, average) = (weights.values.floats[place], state.average[place])
                // From the nearer end, as the kernels do.
                state.average[place] =
                    share < 0.5
                    ? average + share * (value - average) : value - (1 - share) * (value - average)
            }
        }
    }

    func beginAverage() {
        state.average.update(from: weights.values.floats, count: weights.map.total)
    }

    func exchangeAverage() {
        let (values, average) = (weights.values.floats, state.average)
        context.workers.run(over: weights.map.total, grain: 4096) { range, _ in
            for place in range { (values[place], average[place]) = (average[place], values[place]) }
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

    func clearState() {
        for buffer in [state.momentum, state.squares] {
            buffer.update(repeating: 0, count: weights.map.trained)
        }
    }

    private func buffer(_ content: ParameterContent) -> Floats {
        switch content {
        case .value: weights.values.floats
        case .gradient: gradientValues.floats
        case .momentum: state.momentum
        case .secondMoment: state.squares
        case .average: state.average
        }
    }
}
