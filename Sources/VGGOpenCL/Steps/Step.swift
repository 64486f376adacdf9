import VGGEngine
import VGGModel

/// A step of a plan on a device. All its maps are [count][channels][height][width].
protocol Step: AnyObject {
    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer)

    /// `gradient` is that of `y` and may be overwritten; `dx`, that of `x`, is nil where nobody needs it.
    func backward(
        _ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?)
}

/// What a step works with.
struct StepContext {
    let step: PlannedStep
    let queue: OpenCLQueue
    /// The step's, in the order of `network.parameters`.
    let values: [OpenCLBuffer]
    /// Their copies in 16 bits, in mixed precision.
    let copies: [OpenCLBuffer]
    /// As `StepMemory` says.
    let kept: [OpenCLBuffer]
    let scratch: OpenCLBuffer
    /// Of the plan.
    let training: TrainingState?
    let firstParameter: Int

    /// The weights that products read.
    var weights: OpenCLBuffer { copies.first ?? values[0] }

    func kernel(_ name: String) -> Kernel { Kernel(name, step.formats) }

    /// The gradient of one of the step's parameters.
    func gradient(_ parameter: Int) -> OpenCLBuffer? { training?.gradient(firstParameter + parameter) }

    /// Numbers of a batch's input and output.
    func inputCount(_ pass: Pass) -> Int { pass.count * step.input.count }
    func outputCount(_ pass: Pass) -> Int { pass.count * step.output.count }
}

extension PlannedStep {
    func memory(batchSize: Int) -> StepMemory {
        switch operation {
        case .convolution: ConvolutionStep.memory(self, batchSize: batchSize)
        case .batchNorm(let norm, _):
            StepMemory(
                kept: [Normalization.coefficientBytes(norm)],
                scratch: Normalization.scratch(norm, count: batchSize))
        case .linear(let layer, _):
            StepMemory(scratch: BiasGradient.scratch(channels: layer.outFeatures, total: batchSize))
        case .maxPool: StepMemory(kept: mode.hasBackward ? [output.count * batchSize * 2] : [])
        case .averagePool: StepMemory(kept: [AveragePoolStep.tableCount(self) * 8])
        case .relu, .dropout: StepMemory()
        }
    }

    func bound(_ context: StepContext) -> any Step {
        switch operation {
        case .convolution(let layer, let norm, let relu, let pool):
            ConvolutionStep(context, layer, norm, relu: relu, pool: pool)
        case .batchNorm(let norm, let relu): BatchNormStep(context, norm, relu: relu)
        case .linear(let layer, let relu): LinearStep(context, layer, relu: relu)
        case .maxPool(let pool): MaxPoolStep(context, pool)
        case .averagePool(let rows, let columns): AveragePoolStep(context, rows, columns)
        case .relu: ReLUStep(context)
        case .dropout(let probability, let layer):
            DropoutStep(context, probability: probability, layer: layer)
        }
    }
}
