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
        clearState()
    }

    /// The network's tensors under torchvision's names.
    public var weights: [String: Tensor] { tensors(.value) { _ in true } }

    /// The gradients of the last batch's mean loss, of every trained tensor.
    public var gradientTensors: [String: Tensor] { tensors(.gradient, where: \.isTrained) }

    /// Replaces all tensors. PyTorch's `num_batches_tracked` counters are passed over.
    /// - Parameter kept: the names of those that stay as they are, and must not be in `weights`.
    /// - Throws: `WeightsError` that names the tensor at fault; then nothing is replaced.
    public func load(_ weights: [String: Tensor], keeping kept: Set<String> = []) throws(WeightsError) {
        try replace(.value, by: weights) { !kept.contains($0.description.name) }
    }

    func tensors(
        _ content: ParameterContent, where isIncluded: (PlannedParameter) -> Bool
    ) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (index, parameter) in plan.parameters.enumerated() where isIncluded(parameter) {
            tensors[parameter.description.name] = Tensor(
                shape: parameter.description.shape, values: bound.read(content, of: index))
        }
        return tensors
    }

    func replace(
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
