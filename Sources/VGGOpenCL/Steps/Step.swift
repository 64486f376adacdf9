import VGGEngine

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
