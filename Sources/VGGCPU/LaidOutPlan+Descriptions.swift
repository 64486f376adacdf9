import VGGEngine
import VGGModel

extension LaidOutPlan {
    /// The plan's steps, in order; of a training also the loss and the update.
    func stepDescriptions(threads: Int) -> [StepDescription] {
        let node = SumTree(images: plan.batchSize)
        let described = steps.map { step in
            let kind = step.kind
            let scratch = kind.scratch(batchSize: plan.batchSize, threads: threads)
            let (forward, backward) = kind.kernelNames
            return StepDescription(
                name: step.step.name(in: plan.network), kind: step.step.kind(in: plan.network),
                forward: forward, backward: step.mode.hasBackward ? backward : "",
                output: step.output.description,
                outputBytes: step.output.imageStride * plan.batchSize * step.output.element.size,
                otherBytes: scratch.shared + scratch.worker + scratch.copies.reduce(0, +)
                    + kind.kept(batchSize: plan.batchSize) + kind.winnerBytes * plan.batchSize,
                tasks: kind.tasks(node, threads: threads))
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
