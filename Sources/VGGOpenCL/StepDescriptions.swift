import VGGEngine

extension OpenCLLayout {
    /// The plan's steps, in order; of a training also the loss and the update.
    var stepDescriptions: [StepDescription] {
        let described = zip(plan.steps, steps).map { step, kind in
            let size = step.output
            return StepDescription(
                name: step.name(in: plan.network), kind: step.kind(in: plan.network), forward: kind.forward,
                backward: step.mode.hasBackward ? kind.backward : "",
                output: (size.element == .bfloat16 ? "bf16 " : "fp32 ")
                    + (size.height * size.width > 1
                        ? "\(size.channels)×\(size.height)×\(size.width)" : "\(size.channels)"),
                outputBytes: size.bytes(plan.batchSize),
                otherBytes: kind.memory.kept.reduce(kind.memory.scratch, +),
                tasks: StepTasks(
                    forward: kind.groups ?? (plan.batchSize * size.count).parts(of: KernelSizes.group)))
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
