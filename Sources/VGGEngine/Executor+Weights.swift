import VGGModel

extension Executor {
    /// Sets every parameter to its initial value: a function of the seed and the network.
    public func initialize(_ initialization: Initialization, seed: UInt64) {
        var index = 0
        for layer in plan.network.layers {
            for parameter in layer.parameters {
                let tensor = initialization.tensor(for: layer, parameter, index: index, seed: seed)
                pack(tensor, map.entries[index], to: values.floats)
                index += 1
            }
        }
        clearMomentum()
        advanceVersions()
    }

    /// The network's tensors under torchvision's names.
    public var weights: [String: Tensor] { tensors(in: values.floats) { _ in true } }

    /// The gradients of the last batch's mean loss, of every trained tensor.
    public var gradientTensors: [String: Tensor] { tensors(in: gradientValues.floats, where: \.isTrained) }

    /// The optimiser's momentum of every trained tensor; empty where there is none.
    public var momentum: [String: Tensor] {
        hasMomentum ? tensors(in: momentumValues.floats, where: \.isTrained) : [:]
    }

    /// Replaces all tensors. PyTorch's `num_batches_tracked` counters are passed over.
    /// - Parameter kept: the names of those that stay as they are, and must not be in `weights`.
    /// - Throws: `WeightsError` that names the tensor at fault; then nothing is replaced.
    public func load(_ weights: [String: Tensor], keeping kept: Set<String> = []) throws(WeightsError) {
        try check(weights) { parameter, _ in !kept.contains(parameter.name) }
        write(weights, to: values.floats)
        advanceVersions()
    }

    private func advanceVersions() {
        version.advance()
        frozenVersion.advance()
    }

    /// Replaces the optimiser's momentum; an empty dictionary clears it.
    /// - Throws: `WeightsError` that names the tensor at fault; then nothing is replaced.
    public func load(momentum: [String: Tensor]) throws(WeightsError) {
        guard !momentum.isEmpty else { return clearMomentum() }
        try check(momentum) { _, entry in entry.isTrained }
        write(momentum, to: momentumValues.floats)
        hasMomentum = true
    }

    private func clearMomentum() {
        if hasMomentum { momentumValues.floats.update(repeating: 0, count: map.trained) }
        hasMomentum = false
    }

    private func tensors(
        in buffer: Floats, where isIncluded: (ParameterMap.Entry) -> Bool
    ) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (parameter, entry) in zip(plan.network.parameters, map.entries) where isIncluded(entry) {
            tensors[parameter.name] = Tensor(
                shape: parameter.shape,
                values: entry.layout.unpack(
                    buffer + entry.offset, count: parameter.shape.reduce(1, *), context))
        }
        return tensors
    }

    private func check(
        _ tensors: [String: Tensor], where isIncluded: (ParameterDescription, ParameterMap.Entry) -> Bool
    ) throws(WeightsError) {
        try WeightsError.check(
            tensors, are: zip(plan.network.parameters, map.entries).filter(isIncluded).map(\.0))
    }

    private func write(_ tensors: [String: Tensor], to buffer: Floats) {
        for (parameter, entry) in zip(plan.network.parameters, map.entries) {
            if let tensor = tensors[parameter.name] { pack(tensor, entry, to: buffer) }
        }
    }

    private func pack(_ tensor: Tensor, _ entry: ParameterMap.Entry, to buffer: Floats) {
        entry.layout.pack(tensor.values, to: buffer + entry.offset, context)
    }
}
