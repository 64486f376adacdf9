import VGGEngine
import VGGModel

extension LaidOutPlan {
    /// The plan's steps, in order; of a training also the loss and the update.
    func stepDescriptions(threads: Int) -> [StepDescription] {
        let node = SumTree(images: plan.batchSize)
        let described = steps.map { step in
            let scratch = StepScratch(for: step, batchSize: plan.batchSize, threads: threads)
            let (forward, backward) = step.kernelNames
            return StepDescription(
                name: step.step.name(in: plan.network), kind: step.step.kind(in: plan.network),
                forward: forward, backward: step.mode.hasBackward ? backward : "",
                output: step.output.description,
                outputBytes: step.output.imageStride * plan.batchSize * step.output.element.size,
                otherBytes: scratch.shared + scratch.worker + scratch.kept + scratch.copies.reduce(0, +)
                    + step.winnerBytes * plan.batchSize,
                tasks: step.tasks(node, threads: threads))
        }
        guard plan.mode == .training else { return described }
        func row(_ name: String, _ kernel: String, tasks: Int) -> StepDescription {
            StepDescription(
                name: name, kind: "", forward: kernel, backward: "", output: "", outputBytes: 0,
                otherBytes: 0, tasks: StepTasks(forward: tasks))
        }
        let parts = ParameterMap(self).trainedParts.filter { !$0.isUpdatedAtOnce }
        return described + [
            row("loss", "softmax_cross_entropy", tasks: plan.batchSize),
            row("update", "update", tasks: UpdateTasks(parts, threads: threads).pieces.count),
        ]
    }
}

extension LaidOutStep {
    /// As the step cuts its passes over all images of a node.
    fileprivate func tasks(_ node: SumTree, threads: Int) -> StepTasks {
        let count = node.images.count
        let trains = step.mode == .training
        let input = step.mode.hasBackward && step.needsInputGradient
        switch step.operation {
        case .convolution(let convolution, let norm, _, let pool):
            let pool = pool && norm == nil
            return step.precision == .bf16
                ? ConvolutionStep<UInt16>.tasks(self, convolution, pool: pool, node, threads: threads)
                : ConvolutionStep<Float>.tasks(self, convolution, pool: pool, node, threads: threads)
        case .linear(let linear, _):
            let tasks = LinearTasks(
                self, inputs: linear.inFeatures, outputs: linear.outFeatures, count: count, threads: threads)
            let weights = step.precision == .bf16 ? tasks.inputGradient.tasks : tasks.weightGradient.tasks
            return StepTasks(
                forward: tasks.forward.tasks, inputGradient: input ? tasks.inputGradient.tasks : nil,
                weightGradient: trains ? weights : nil)
        case .batchNorm:
            return StepTasks(
                forward: count, inputGradient: input ? count : nil,
                weightGradient: trains ? Normalization<Float>.leaves(node).nodes.count : nil)
        // An image a task.
        case .maxPool, .averagePool, .relu, .dropout:
            return StepTasks(forward: count, inputGradient: input ? count : nil)
        }
    }

    /// The kernels that do most of the work, as the list in vgg_kernels.h names them.
    fileprivate var kernelNames: (forward: String, backward: String) {
        switch step.operation {
        case .convolution(let convolution, let norm, _, let pool):
            let pool = pool && norm == nil
            let names = ConvolutionChoice(self, convolution, pool: pool)
                .kernelNames(mode: step.mode, precision: step.precision, pool: pool)
            let prefix = step.precision == .bf16 ? "bf16_" : ""
            return norm == nil
                ? names
                : ("\(names.forward), \(prefix)normalize", "\(prefix)norm_gradient, \(names.backward)")
        case .linear:
            return step.precision == .bf16
                ? ("bf16_linear_forward", "bf16_linear_backward") : ("product", "product")
        case .batchNorm: return ("normalize", "norm_gradient")
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
            if isSmallMap {
                let weight = weightGradient.map { _ in "small_map_weight_gradient" }
                let input = inputGradient.map { _ in "product" }
                return ("product", [weight, input].compactMap(\.self).joined(separator: ", "))
            }
            let output = (run == .winograd ? "winograd_convolution" : "convolution") + fused
            let weight: String? =
                switch weightGradient {
                case nil: nil
                case .direct: "convolution_weight_gradient"
                case .winograd: "winograd_weight_gradient"
                case .pooled: "pooled_weight_gradient"
                case .pooledWinograd: "winograd_pooled_weight_gradient"
                case .smallMap: "small_map_weight_gradient"
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
