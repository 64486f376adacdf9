import VGGEngine
import VGGModel

extension LinearStep {
    struct Kind: StepKind {
        let planned: LaidOutStep
        let linear: Linear
        let relu: Bool

        var parameterLayouts: [ParameterLayout] {
            let input = planned.input
            return [
                .panels(
                    out: linear.outFeatures, in: input.channels, height: input.height, width: input.width),
                .vector(linear.outFeatures),
            ]
        }

        var kernelNames: (forward: String, backward: String) {
            isMixed ? ("bf16_linear_forward", "bf16_linear_backward") : ("product", "product")
        }

        func scratch(batchSize: Int, threads: Int) -> StepScratch {
            let shared = Scratch(
                planned, (linear.inFeatures, linear.outFeatures), count: batchSize, training: hasBackward)
            return StepScratch(
                shared: shared.total, worker: workerScratch(training: hasBackward, batchSize: batchSize),
                copies: hasBackward ? [] : copies(linear))
        }

        func tasks(_ node: SumTree, threads: Int) -> StepTasks {
            let tasks = LinearTasks(
                planned, inputs: linear.inFeatures, outputs: linear.outFeatures, count: node.images.count,
                threads: threads)
            let weights = isMixed ? tasks.inputGradient.tasks : tasks.weightGradient.tasks
            return StepTasks(
                forward: tasks.forward.tasks,
                inputGradient: makesInputGradient ? tasks.inputGradient.tasks : nil,
                weightGradient: planned.trainsParameters ? weights : nil)
        }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            LinearStep(planned, linear, relu: relu, parameters, context)
        }
    }
}
