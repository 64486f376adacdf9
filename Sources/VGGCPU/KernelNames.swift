import VGGEngine
import VGGModel

extension LaidOutPlan {
    /// The plan's steps, in order.
    var stepDescriptions: [StepDescription] {
        steps.map { step in
            let scratch = StepScratch(for: step, batchSize: plan.batchSize)
            let (forward, backward) = step.kernelNames
            return StepDescription(
                name: step.step.name(in: plan.network), kind: step.step.kind(in: plan.network),
                forward: forward, backward: step.mode == .training ? backward : "",
                output: step.output.description,
                outputBytes: step.output.imageStride * plan.batchSize * step.output.element.size,
                otherBytes: scratch.shared + scratch.worker + scratch.copies.reduce(0, +)
                    + step.winnerBytes * plan.batchSize)
        }
    }
}

extension LaidOutStep {
    /// The kernels that do most of the work, as the list in vgg_kernels.h names them.
    fileprivate var kernelNames: (forward: String, backward: String) {
        switch step.operation {
        case .convolution(let convolution, _, let pool):
            let suffix = pool ? "_relu_pool" : ""
            let weight = convolution.skipsZeros(pool: pool) ? "pooled_weight_gradient" : "weight_gradient"
            let input = convolution.skipsZeros(pool: pool) ? "pooled_input_gradient" : "convolution"
            if step.precision == .bf16 {
                return (
                    step.mode == .inference && infersByWinograd(convolution)
                        ? "bf16_winograd_convolution" : "bf16_convolution\(suffix)",
                    "bf16_\(weight)" + (step.needsInputGradient ? ", bf16_\(input)" : "")
                )
            }
            return (
                convolution.forwardAlgorithm.kernelName + suffix,
                convolution.gradientKernelName(pool: pool)
                    + (step.needsInputGradient ? ", " + convolution.backwardAlgorithm.kernelName : "")
            )
        case .linear:
            return step.precision == .bf16
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
