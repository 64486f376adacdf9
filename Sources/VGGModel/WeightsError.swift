import VGGFiles

/// Why tensors cannot be a network's weights.
public enum WeightsError: Error, Hashable, CustomStringConvertible {
    /// The network has a tensor of this name, the weights have not.
    case missing(String)
    /// The weights have a tensor of this name, the network has not.
    case unexpected(String)
    /// A tensor has another shape than the network's.
    case shape(name: String, expected: [Int], found: [Int])

    public var description: String {
        switch self {
        case .missing(let name): "tensor \(name) is missing: the weights are of another network"
        case .unexpected(let name):
            "tensor \(name.quotedName) has no place in this network: the weights are of another network"
        case .shape(let name, let expected, let found):
            "tensor \(name) has the shape \(found) where this network's has \(expected): the weights are of another "
                + "network, or of another \(Setting.size)"
        }
    }

    /// Checks that there are tensors for all parameters and no others, but for PyTorch's `num_batches_tracked`
    /// counters.
    /// - Throws: the first that is at fault.
    package static func check(
        _ tensors: [String: Tensor], are parameters: [ParameterDescription]
    ) throws(WeightsError) {
        for parameter in parameters {
            guard let tensor = tensors[parameter.name] else { throw .missing(parameter.name) }
            guard tensor.shape == parameter.shape else {
                throw .shape(name: parameter.name, expected: parameter.shape, found: tensor.shape)
            }
        }
        let names = Set(parameters.map(\.name))
        for name in tensors.keys.sorted()
        where !names.contains(name) && !name.hasSuffix("num_batches_tracked") {
            throw .unexpected(name)
        }
    }
}
