import VGGEngine

extension OpenCLLayout {
    /// The plan's steps, in order; of a training also the loss and the update.
    var stepDescriptions: [StepDescription] {
        let described = zip(plan.steps, steps).map { step, memory in
            let names = step.kernelNames
            let size = step.output
            return StepDescription(
                name: step.name(in: plan.network), kind: step.kind(in: plan.network), forward: names.forward,
                backward: step.mode.hasBackward ? names.backward : "",
                output: (size.element == .bfloat16 ? "bf16 " : "fp32 ")
                    + (size.height * size.width > 1
                        ? "\(size.channels)×\(size.height)×\(size.width)" : "\(size.channels)"),
                outputBytes: size.bytes(plan.batchSize),
                otherBytes: memory.kept.reduce(memory.scratch, +),
                tasks: StepTasks(forward: step.groups(batchSize: plan.batchSize)))
        }
        guard plan.mode == .training else { return described }
        func row(_ name: String, _ kernel: String, groups: Int) -> StepDescription {
            StepDescription(
                name: name, kind: "", forward: kernel, backward: "", output: "", outputBytes: 0,
                otherBytes: 0,
                tasks: StepTasks(forward: groups))
        }
        let trained = plan.trainedParameterCount
        return described + [
            row("loss", "the processor's", groups: plan.batchSize),
            row("update", "update", groups: trained.parts(of: KernelSizes.group)),
        ]
    }
}

extension PlannedStep {
    fileprivate var kernelNames: (forward: String, backward: String) {
        let dx = { (name: String) in needsInputGradient ? ", \(name)" : "" }
        return switch operation {
        case .convolution(_, let norm, _, _):
            (
                norm == nil ? "convolution" : "convolution, norm_forward",
                (norm == nil ? "" : "norm_gradient, ") + "convolution_weight_gradient"
                    + dx("convolution_input_gradient")
            )
        case .batchNorm: ("norm_forward", "norm_gradient")
        case .linear: ("linear", "linear_weight_gradient" + dx("linear_input_gradient"))
        case .maxPool: ("max_pool", "max_pool_gradient")
        case .averagePool: ("average_pool", "average_pool_gradient")
        case .relu: ("relu", "relu_gradient")
        case .dropout: ("dropout", "dropout")
        }
    }

    /// Groups of work-items of the forward pass's main kernel.
    fileprivate func groups(batchSize: Int) -> Int {
        let tile = KernelSizes.tile
        return switch operation {
        case .convolution(let layer, _, _, let pool):
            (batchSize * output.height * output.width * (pool ? 4 : 1)).parts(of: tile)
                * layer.outChannels.parts(of: tile)
        case .linear(let layer, _): batchSize.parts(of: tile) * layer.outFeatures.parts(of: tile)
        default: (batchSize * output.count).parts(of: KernelSizes.group)
        }
    }
}
