import VGGEngine
import VGGModel

/// What a step is before it has memory: all that plans ask about it. Each kind of step says it in its own file.
protocol StepKind {
    var planned: LaidOutStep { get }

    /// How each of the step's tensors lies in memory, in the order of `network.parameters`.
    var parameterLayouts: [ParameterLayout] { get }

    /// Bytes of a batch that the step keeps from the forward to the backward pass of a training.
    func kept(batchSize: Int) -> Int

    /// Whether the backward pass reads the output.
    var readsOutputBackward: Bool { get }

    /// Whether the step can make an image's output again (`Step.makeOutputAgain`).
    var canRemakeOutput: Bool { get }

    /// Whether the step can do with an input that the step before makes again, image by image, in the backward pass.
    var canRemakeInput: Bool { get }

    /// Bytes an image's max pool remembers for the backward pass.
    var winnerBytes: Int { get }

    /// The kernels that do most of the work, as the lists of kernels name them.
    var kernelNames: (forward: String, backward: String) { get }

    func scratch(batchSize: Int, threads: Int) -> StepScratch

    /// Into how many tasks the step cuts its passes over all images of a node.
    func tasks(_ node: SumTree, threads: Int) -> StepTasks

    /// - Parameter kept: the step's memory from the forward to the backward pass.
    func bound(
        to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
    ) -> any Step
}

/// What most steps say, and what those say that have no parameters and work image by image.
extension StepKind {
    var parameterLayouts: [ParameterLayout] { [] }
    var winnerBytes: Int { 0 }
    func kept(batchSize: Int) -> Int { 0 }
    var readsOutputBackward: Bool { true }
    var canRemakeOutput: Bool { false }
    var canRemakeInput: Bool { false }
    func scratch(batchSize: Int, threads: Int) -> StepScratch { StepScratch() }

    func tasks(_ node: SumTree, threads: Int) -> StepTasks {
        let count = node.images.count
        return StepTasks(forward: count, inputGradient: makesInputGradient ? count : nil)
    }

    var hasBackward: Bool { planned.mode.hasBackward }
    var makesInputGradient: Bool { hasBackward && planned.needsInputGradient }
}

extension LaidOutStep {
    var parameterLayouts: [ParameterLayout] { kind.parameterLayouts }

    /// The one place that knows which steps there are.
    var kind: any StepKind {
        switch step.operation {
        case .convolution(let convolution, let norm, let relu, let pool):
            step.precision == .bf16
                ? ConvolutionStep<UInt16>.Kind(self, convolution, norm: norm, relu: relu, pool: pool)
                : ConvolutionStep<Float>.Kind(self, convolution, norm: norm, relu: relu, pool: pool)
        case .batchNorm(let norm, let relu): BatchNormStep.Kind(planned: self, norm: norm, relu: relu)
        case .linear(let linear, let relu):
            step.precision == .bf16
                ? LinearStep<UInt16>.Kind(planned: self, linear: linear, relu: relu)
                : LinearStep<Float>.Kind(planned: self, linear: linear, relu: relu)
        case .maxPool(let pool): MaxPoolStep.Kind(planned: self, pool: pool)
        case .averagePool(let rows, let columns):
            AveragePoolStep.Kind(planned: self, rows: rows, columns: columns)
        case .relu: ReLUStep.Kind(planned: self)
        case .dropout(let probability, let layer):
            DropoutStep.Kind(planned: self, probability: probability, layer: layer)
        }
    }
}
