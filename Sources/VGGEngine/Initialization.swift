import VGGModel

/// How weights start.
public enum Initialization: String, Codable, CaseIterable, Sendable {
    /// Uniform with variance 2 / (fan in + fan out) (Glorot & Bengio 2010), as the chapter's `train_ch6` does;
    /// biases as PyTorch leaves them, uniform in ±1/√fan in.
    case xavier
    /// Normal with variance 2 / fan out for convolutions (He et al. 2015), normal with deviation 0.01 for
    /// linear layers, zero biases, as torchvision's VGG starts.
    case kaiming

    /// The initial value of parameter number `index` of the network; a function of the seed and nothing else.
    func tensor(for layer: PlacedLayer, _ parameter: ParameterDescription, index: Int, seed: UInt64) -> Tensor
    {
        let fanIn: Int
        let fanOut: Int
        let isConvolution: Bool
        switch layer.layer {
        case .convolution(let layer):
            fanIn = layer.inChannels * layer.kernel * layer.kernel
            fanOut = layer.outChannels * layer.kernel * layer.kernel
            isConvolution = true
        case .linear(let layer):
            (fanIn, fanOut) = (layer.inFeatures, layer.outFeatures)
            isConvolution = false
        default:
            // Batch norm: scale and variance one, shift and mean zero.
            let one = parameter.name.hasSuffix("weight") || parameter.name.hasSuffix("running_var")
            let count = parameter.shape.reduce(1, *)
            return Tensor(shape: parameter.shape, values: [Float](repeating: one ? 1 : 0, count: count))
        }
        let isBias = parameter.shape.count == 1
        let random = RandomTensor(shape: parameter.shape, seed: seed, sequence: UInt32(index))
        switch self {
        case .xavier:
            return random.uniform(
                bound: Float(
                    isBias ? 1 / Double(fanIn).squareRoot() : (6 / Double(fanIn + fanOut)).squareRoot()))
        case .kaiming:
            if isBias { return Tensor(zeros: parameter.shape) }
            return random.normal(deviation: isConvolution ? Float((2 / Double(fanOut)).squareRoot()) : 0.01)
        }
    }
}
