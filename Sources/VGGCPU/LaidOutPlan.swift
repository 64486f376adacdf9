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

    subscript<Value>(dynamicMember path: KeyPath<PlannedStep, Value>) -> Value { step[keyPath: path] }
}

/// How a plan lies in this machine's memory.
struct LaidOutPlan: Sendable {
    let plan: Plan
    let steps: [LaidOutStep]

    /// An activation has the border that the step reading it pads with.
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
        steps = plan.steps.enumerated().map { index, step in
            LaidOutStep(
                step: step, input: layout(step.input, before: index),
                output: layout(step.output, before: index + 1))
        }
    }

    /// Where each activation (the input first, then every step's output) starts, in bytes, and their sum. In
    /// inference, and before the first step that is trained, only a step's input and output live at once.
    var activationOffsets: (offsets: [Int], total: Int) {
        let frozen = plan.frozenSteps
        let sizes = activations.map { ($0.imageStride * plan.batchSize + slack) * $0.element.size }
        switch plan.mode {
        case .training, .inputGradient:
            let turns = Self.takingTurns(Array(sizes.prefix(frozen)))
            var total = turns.total
            let offsets = sizes.dropFirst(frozen).map { size in
                defer { total += size.roundedUp(to: 64) }
                return total
            }
            return (turns.offsets + offsets, total)
        case .inference: return Self.takingTurns(sizes)
        }
    }

    /// Where the activations' gradients lie, of which two live at once, each while two steps go backward. A training needs
    /// neither the input's nor those of what frozen steps make.
    struct GradientPlaces {
        /// In bytes; of each activation, and whether it is in the activations' memory or in the gradients' own.
        var places: [(offset: Int, isInActivations: Bool)] = []
        /// Bytes of their own memory.
        var total = 0
    }

    /// A gradient takes the place of activations that no step reads any more, if there is room between these: the step that
    /// makes that of activation i reads activations i and i + 1 and the gradient of i + 1. Else two regions take turns.
    var gradientPlaces: GradientPlaces {
        guard plan.mode.hasBackward else { return GradientPlaces() }
        let first = plan.mode == .inputGradient ? 0 : plan.frozenSteps + 1
        let sizes = activations.enumerated().map { index, layout in
            index < first ? 0 : (layout.gradientStride * plan.batchSize + slack) * layout.element.size
        }
        let (starts, end) = activationOffsets
        var places = [Range<Int>?](repeating: nil, count: sizes.count)
        for index in (first..<sizes.count).reversed() where index + 2 < sizes.count {
            let size = sizes[index].roundedUp(to: 64)
            // At the one end of what is free if the gradient before it lies at the other.
            places[index] = [starts[index + 2], end - size].map { $0..<$0 + size }.first {
                $0.lowerBound >= starts[index + 2] && $0.upperBound <= end
                    && !$0.overlaps(places[index + 1] ?? end..<end)
            }
        }
        let own = Self.takingTurns(zip(sizes, places).map { $1 == nil ? $0 : 0 })
        return GradientPlaces(
            places: zip(places, own.offsets).map { ($0?.lowerBound ?? $1, $0 != nil) }, total: own.total)
    }

    /// The input and every step's output.
    private var activations: [ActivationLayout] { [steps[0].input] + steps.map(\.output) }

    /// Two regions take turns, each as large as the largest that it holds.
    private static func takingTurns(_ sizes: [Int]) -> (offsets: [Int], total: Int) {
        let regions = (0..<2).map { turn in
            (sizes.indices.filter { $0 % 2 == turn }.map { sizes[$0] }.max() ?? 0).roundedUp(to: 64)
        }
        return (sizes.indices.map { $0 % 2 == 0 ? 0 : regions[0] }, regions[0] + regions[1])
    }

    /// What the steps need beside activations and parameters: they run one after another, but what they keep adds up.
    func scratch(threads: Int) -> StepScratch {
        let all = steps.map { $0.kind.scratch(batchSize: plan.batchSize, threads: threads) }
        return StepScratch(
            shared: (all.map(\.shared).max() ?? 0).roundedUp(to: 64),
            worker: (all.map(\.worker).max() ?? 0).roundedUp(to: 64),
            kept: all.map(\.kept).reduce(0, +), copies: all.flatMap(\.copies))
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
            activations: activationOffsets.total + gradientPlaces.total + scratch.kept
                + steps.map(\.kind.winnerBytes).reduce(0, +) * plan.batchSize,
            scratch: scratch.shared + scratch.worker * threads + scratch.copies.reduce(0, +))
    }
}
