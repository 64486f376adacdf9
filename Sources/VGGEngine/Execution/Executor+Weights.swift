import VGGModel

extension Executor {
    /// Sets every parameter to its initial value: a function of the seed and the network.
    public func initialize(_ initialization: Initialization, seed: UInt64) {
        precondition(!sharesWeights, "weights that are shared do not change")
        var index = 0
        for layer in plan.network.layers {
            for parameter in layer.parameters {
                let tensor = initialization.tensor(for: layer, parameter, index: index, seed: seed)
                bound.write(tensor, to: .value, of: index)
                index += 1
            }
        }
        clearMomentum()
    }

    /// The network's tensors under torchvision's names.
    public var weights: [String: Tensor] { tensors(.value) { _ in true } }

    /// The gradients of the last batch's mean loss, of every trained tensor.
    public var gradientTensors: [String: Tensor] { tensors(.gradient, where: \.isTrained) }

    /// The optimiser's momentum of every trained tensor; empty where there is none.
    public var momentum: [String: Tensor] { hasMomentum ? tensors(.momentum, where: \.isTrained) : [:] }

    /// Replaces all tensors. PyTorch's `num_batches_tracked` counters are passed over.
    /// - Parameter kept: the names of those that stay as they are, and must not be in `weights`.
    /// - Throws: `WeightsError` that names the tensor at fault; then nothing is replaced.
    public func load(_ weights: [String: Tensor], keeping kept: Set<String> = []) throws(WeightsError) {
        try replace(.value, by: weights) { !kept.contains($0.description.name) }
    }

    /// Replaces the optimiser's momentum; an empty dictionary clears it.
    /// - Throws: `WeightsError` that names the tensor at fault; then nothing is replaced.
    public func load(momentum: [String: Tensor]) throws(WeightsError) {
        guard !momentum.isEmpty else { return clearMomentum() }
        try replace(.momentum, by: momentum, where: \.isTrained)
        hasMomentum = true
    }

    private func clearMomentum() {
        if hasMomentum { bound.clearMomentum() }
        hasMomentum = false
    }

    private func tensors(
        _ content: ParameterContent, where isIncluded: (PlannedParameter) -> Bool
    ) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (index, parameter) in plan.parameters.enumerated() where isIncluded(parameter) {
            tensors[parameter.description.name] = Tensor(
                shape: parameter.description.shape, values: bound.read(content, of: index))
        }
        return tensors
    }

    private func replace(
        _ content: ParameterContent, by tensors: [String: Tensor],
        where isIncluded: (PlannedParameter) -> Bool
    ) throws(WeightsError) {
        precondition(!sharesWeights, "weights that are shared do not change")
        try WeightsError.check(tensors, are: plan.parameters.filter(isIncluded).map(\.description))
        for (index, parameter) in plan.parameters.enumerated() {
            if let tensor = tensors[parameter.description.name] {
                bound.write(tensor, to: content, of: index)
            }
        }
    }
}
