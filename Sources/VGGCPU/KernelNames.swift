import VGGEngine
import VGGModel

extension LaidOutPlan {
    /// The plan's steps, in order.
    func stepDescriptions(threads: Int) -> [StepDescription] {
        steps.map { step in
            let scratch = StepScratch(for: step, batchSize: plan.batchSize, threads: threads)
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
            return ConvolutionChoice(self, convolution, pool: pool)
                .kernelNames(mode: step.mode, precision: step.precision, pool: pool)
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

extension ConvolutionChoice {
    fileprivate func kernelNames(
        mode: Mode, precision: Precision, pool: Bool
    ) -> (forward: String, backward: String) {
        let run = mode == .inference ? inference : forward
        let fused = pool ? "_relu_pool" : ""
        switch precision {
        case .fp32:
            let output = (run == .winograd ? "winograd_convolution" : "convolution") + fused
            let weight: String? =
                switch weightGradient {
                case nil: nil
                case .direct: "convolution_weight_gradient"
                case .winograd: "winograd_weight_gradient"
                case .pooled: "pooled_weight_gradient"
                case .pooledWinograd: "winograd_pooled_weight_gradient"
                }
            let input = inputGradient.map { $0 == .winograd ? "winograd_convolution" : "convolution" }
            return (output, [weight, input].compactMap(\.self).joined(separator: ", "))
        case .bf16:
            let output = run == .winograd ? "bf16_winograd_convolution" : "bf16_convolution\(fused)"
            let weight = weightGradient.map { "bf16_\($0 == .pooled ? "pooled_" : "")weight_gradient" }
            let input = inputGradient.map {
                $0 == .pooled ? "bf16_pooled_input_gradient" : "bf16_convolution"
            }
            return (output, [weight, input].compactMap(\.self).joined(separator: ", "))
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
