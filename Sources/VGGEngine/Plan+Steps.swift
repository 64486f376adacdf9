import VGGModel

/// What a step of a plan does, for people who want to know.
public struct StepDescription: Hashable, Sendable, Codable {
    /// torchvision's name of the step's first layer, and of the last where there are more.
    public var name: String
    /// The class names of the step's layers.
    public var kind: String
    /// The kernels of the forward and the backward pass.
    public var forward: String
    public var backward: String
    /// How the output lies in memory.
    public var output: String
    /// Bytes of the output for the whole batch.
    public var outputBytes: Int
    /// Bytes of copies of its weights, scratch memory and, while training, what it remembers.
    public var otherBytes: Int
}

extension Plan {
    /// The plan's steps, in order.
    public var stepDescriptions: [StepDescription] {
        steps.map { step in
            let scratch = StepScratch(for: step, plan: self)
            let (forward, backward) = step.kernelNames
            return StepDescription(
                name: step.name(in: network), kind: step.kind(in: network), forward: forward,
                backward: step.mode == .training ? backward : "", output: step.output.description,
                outputBytes: step.output.imageStride * batchSize * step.output.element.size,
                otherBytes: scratch.shared + scratch.worker + scratch.kept + step.winnerBytes * batchSize)
        }
    }
}

extension PlannedStep {
    /// torchvision's name of the first layer, and of the last where there are more.
    func name(in network: Network) -> String {
        let names = network.layers[layers].map(\.name)
        return names.count > 1 ? "\(names[0])…\(names[names.count - 1])" : names[0]
    }

    func kind(in network: Network) -> String {
        network.layers[layers].map(\.layer.className).joined(separator: " + ")
    }

    /// The kernels that do most of the work, as the list in vgg_kernels.h names them.
    fileprivate var kernelNames: (forward: String, backward: String) {
        switch operation {
        case .convolution(let convolution, _, let pool):
            let suffix = pool ? "_relu_pool" : ""
            let weight = convolution.skipsZeros(pool: pool) ? "pooled_weight_gradient" : "weight_gradient"
            let input = convolution.skipsZeros(pool: pool) ? "pooled_input_gradient" : "convolution"
            if precision == .bf16 {
                return (
                    mode == .inference && infersByWinograd(convolution)
                        ? "bf16_winograd_convolution" : "bf16_convolution\(suffix)",
                    "bf16_\(weight)" + (needsInputGradient ? ", bf16_\(input)" : "")
                )
            }
            return (
                convolution.forwardAlgorithm.kernelName + suffix,
                convolution.gradientKernelName(pool: pool)
                    + (needsInputGradient ? ", " + convolution.backwardAlgorithm.kernelName : "")
            )
        case .linear:
            return precision == .bf16
                ? ("bf16_linear_forward", "bf16_linear_backward") : ("product", "product")
        case .batchNorm: return ("scale_shift", "batch_norm_gradient")
        case .maxPool: return ("max_pool", "max_pool_gradient")
        case .averagePool: return ("average_pool", "average_pool_gradient")
        case .relu: return ("relu", "mask_gradient")
        case .dropout: return ("dropout", "dropout")
        }
    }
}

extension Convolution {
    fileprivate func gradientKernelName(pool: Bool) -> String {
        switch gradientAlgorithm {
        case .direct:
            readsPooledGradient(pool: pool) ? "pooled_weight_gradient" : "convolution_weight_gradient"
        case .winograd: pool ? "winograd_pooled_weight_gradient" : "winograd_weight_gradient"
        }
    }
}

extension ConvolutionAlgorithm {
    fileprivate var kernelName: String {
        switch self {
        case .direct: "convolution"
        case .winograd: "winograd_convolution"
        }
    }
}

extension ActivationLayout: CustomStringConvertible {
    var description: String {
        let format =
            switch element {
            case .float32: "fp32"
            case .bfloat16: "bf16"
            }
        let size = height == 1 && width == 1 ? "\(channels)" : "\(height)×\(width)×\(channels)"
        return "\(format) \(size)" + (border > 0 ? ", border \(border)" : "")
    }
}
