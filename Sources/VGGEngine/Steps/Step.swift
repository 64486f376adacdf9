import CVGGKernels
import VGGModel

typealias Floats = UnsafeMutablePointer<Float>
typealias Memory = UnsafeMutableRawPointer

/// One pass over a batch.
struct Pass {
    /// Images in the batch.
    let count: Int
    /// Batch statistics and dropout, instead of running statistics and none.
    let isTraining: Bool
    /// Chooses the dropout masks together with `step`.
    var seed: UInt64 = 0
    var step: Int = 0
    /// Given where steps may update parameters as soon as their gradients are made, without storing them.
    var update: Update?
}

/// An optimiser's step on parts of the flat buffer of parameters.
struct Update {
    let optimizer: SGD
    /// The momentum of the whole buffer; nil where the optimiser has none.
    let momentum: Floats?

    /// Updates `count` parameters from `offset` of the buffer `values`.
    func apply(_ kernels: vgg_kernels, gradients: Floats, values: Floats, offset: Int, count: Int) {
        var arguments = optimizer.kernelArguments
        kernels.sgd(&arguments, values + offset, gradients, momentum.map { $0 + offset }, count)
    }
}

/// What every step works with: kernels, threads and scratch memory. `shared` belongs to the step that runs,
/// `worker` to the task that runs.
struct StepContext {
    let kernels: vgg_kernels
    let workers: Workers
    let shared: Floats
    let scratch: Floats
    let scratchStride: Int

    func worker(_ index: Int) -> Floats { scratch + index * scratchStride }
}

/// Floats of scratch memory that a step needs.
struct StepScratch {
    var shared = 0
    var worker = 0
}

/// A step bound to its parameters. `x` and `y` are the batch's activations in the step's layouts; gradients
/// are plain: image after image, rows without borders, in the number format of their activation.
protocol Step: AnyObject {
    func forward(_ pass: Pass, x: Memory, y: Memory)

    /// `gradient` is that of `y` and may be overwritten; `inputGradient` is nil where nobody needs it.
    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?)
}

/// A step all of whose activations are 32-bit floats.
protocol FloatStep: Step {
    func forward(_ pass: Pass, x: Floats, y: Floats)
    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?)
}

extension FloatStep {
    func forward(_ pass: Pass, x: Memory, y: Memory) {
        forward(
            pass, x: x.assumingMemoryBound(to: Float.self), y: y.assumingMemoryBound(to: Float.self))
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        backward(
            pass, x: x.assumingMemoryBound(to: Float.self), y: y.assumingMemoryBound(to: Float.self),
            gradient: gradient.assumingMemoryBound(to: Float.self),
            inputGradient: inputGradient?.assumingMemoryBound(to: Float.self))
    }
}

/// A step's tensors in memory and their gradients (which inference plans have not), in the order of
/// `network.parameters`.
struct BoundParameters {
    /// The flat buffer of all parameters.
    let buffer: Floats
    /// Where in it each of the step's tensors starts.
    let offsets: [Int]
    /// The flat buffer of gradients; nil for inference.
    let gradientBuffer: Floats?

    var values: [Floats] { offsets.map { buffer + $0 } }
    var gradients: [Floats] { gradientBuffer.map { base in offsets.map { base + $0 } } ?? [] }
}

extension StepScratch {
    init(for step: PlannedStep, plan: Plan) {
        switch step.operation {
        case .convolution(let convolution, _, let pool):
            self = ConvolutionStep.scratch(step, convolution, pool: pool, plan: plan)
        case .linear(let linear, _): self = LinearStep.scratch(linear, plan: plan)
        default: self.init()
        }
    }
}

extension PlannedStep {
    func bound(to parameters: BoundParameters, context: StepContext, plan: Plan) -> any Step {
        switch operation {
        case .convolution(let convolution, let relu, let pool):
            ConvolutionStep(self, convolution, relu: relu, pool: pool, parameters, context, plan)
        case .batchNorm(let norm, let relu):
            BatchNormStep(self, norm, relu: relu, parameters, context)
        case .linear(let linear, let relu): LinearStep(self, linear, relu: relu, parameters, context)
        case .maxPool(let pool): MaxPoolStep(self, pool, context, plan)
        case .averagePool(let rows, let columns): AveragePoolStep(self, rows, columns, context)
        case .relu: ReLUStep(self, context)
        case .dropout(let probability, let layer):
            DropoutStep(self, probability: probability, layer: layer, context)
        }
    }
}
