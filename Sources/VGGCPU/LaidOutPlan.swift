import CVGGKernels
import VGGEngine
import VGGModel

/// Numbers that kernels may read past the end of a buffer.
let slack = VGG_SLACK

/// A step of a plan with the layouts of its input and output.
@dynamicMemberLookup
struct LaidOutStep: Sendable {
    let step: PlannedStep
    let input: ActivationLayout
    let output: ActivationLayout
    /// Whether the input is not kept for the backward pass, which makes it again, image by image, of what the batch norm before
    /// has read.
    fileprivate(set) var remakesInput = false

    subscript<Value>(dynamicMember path: KeyPath<PlannedStep, Value>) -> Value { step[keyPath: path] }
}

/// How a plan lies in this machine's memory.
struct LaidOutPlan: Sendable {
    let plan: Plan
    let steps: [LaidOutStep]

    /// An activation has the border that the step reading it pads with, zero or reflected.
    init(_ plan: Plan) {
        self.plan = plan
        func layout(_ activation: Activation, before index: Int) -> ActivationLayout {
            var border = 0
            if index < plan.steps.count,
                case .convolution(let convolution, _, _, _) = plan.steps[index].operation
            {
                border = convolution.padding
            }
            return ActivationLayout(activation, border: border)
        }
        var steps = plan.steps.enumerated().map { index, step in
            LaidOutStep(
                step: step, input: layout(step.input, before: index),
                output: layout(step.output, before: index + 1))
        }
        for index in steps.indices.dropFirst() {
            steps[index].remakesInput =
                steps[index - 1].kind.canRemakeOutput && steps[index].kind.canRemakeInput
        }
        self.steps = steps
    }

    /// What the steps need beside activations and parameters: they run one after another.
    func scratch(threads: Int) -> StepScratch {
        let all = steps.map { $0.kind.scratch(batchSize: plan.batchSize, threads: threads) }
        return StepScratch(
            shared: (all.map(\.shared).max() ?? 0).roundedUp(to: 64),
            worker: (all.map(\.worker).max() ?? 0).roundedUp(to: 64), copies: all.flatMap(\.copies))
    }

    /// The memory the plan will take with an optimiser (nil for inference) and a number of threads.
    func memory(optimizer: Optimizer?, threads: Int) -> PlanMemory {
        let float = MemoryLayout<Float>.stride
        let sizes = ParameterMap(self)
        let training = plan.mode == .training
        let scratch = scratch(threads: threads)
        let averaged = optimizer?.average == nil ? 0 : sizes.total
        let state = (optimizer?.stateCount ?? 0) * sizes.trained + averaged
        return PlanMemory(
            parameters: sizes.total * float,
            gradients: training ? sizes.updatedAfterwards * float : 0,
            optimizerState: training ? state * float : 0,
            activations: places.total + steps.map(\.kind.winnerBytes).reduce(0, +) * plan.batchSize,
            scratch: scratch.shared + scratch.worker * threads + scratch.copies.reduce(0, +))
    }
}
