import CVGGKernels
import VGGEngine
import VGGModel

typealias Floats = UnsafeMutablePointer<Float>
/// Numbers in bfloat16.
typealias BF16s = UnsafeMutablePointer<UInt16>
typealias Memory = UnsafeMutableRawPointer

/// What an optimiser keeps beside the parameters: buffers of the same shape, each touched only by an update that has a
/// use for it, and until then not paid for.
struct UpdateState {
    let momentum, squares, average: Floats
}

/// An update of parts of the flat buffer of parameters that one rule is for.
struct Update {
    private let arguments: vgg_update

    init(_ update: ParameterUpdate, _ group: ParameterGroup, _ state: UpdateState) {
        let numbers = UpdateNumbers(update, group)
        var arguments = vgg_update()
        arguments.learning_rate = numbers.learningRate
        arguments.weight_decay = numbers.weightDecay
        arguments.keep = numbers.keep
        arguments.share = numbers.share
        arguments.nesterov = numbers.nesterov ? 1 : 0
        arguments.shrink = numbers.shrink
        (arguments.square_keep, arguments.square_share) = (numbers.squareKeep, numbers.squareShare)
        (arguments.correction, arguments.epsilon) = (numbers.correction, numbers.epsilon)
        if numbers.hasMomentum { arguments.momentum = state.momentum }
        if numbers.hasSquares { arguments.squares = state.squares }
        if let share = numbers.averageShare {
            arguments.average_share = share
            arguments.average = state.average
        }
        self.arguments = arguments
    }

    /// Updates `count` parameters from `offset` of the buffer `values`.
    func apply(_ kernels: vgg_kernels, gradients: Floats, values: Floats, offset: Int, count: Int) {
        var arguments = arguments
        kernels.update(&arguments, values + offset, gradients, offset, count)
    }

    /// The update of the parameters from `offset` of the buffer on, for kernels that count from there.
    func arguments(from offset: Int) -> vgg_update {
        var arguments = arguments
        arguments.momentum = arguments.momentum.map { $0 + offset }
        arguments.squares = arguments.squares.map { $0 + offset }
        arguments.average = arguments.average.map { $0 + offset }
        return arguments
    }
}

/// Counts the changes of the parameters, so that steps know when a copy they keep is out of date.
final class ParameterVersion {
    private(set) var value = 1

    func advance() { value += 1 }
}

/// What every step works with: kernels, threads and scratch memory. `shared` belongs to the step that runs,
/// `worker` to the task that runs.
struct StepContext {
    let kernels: vgg_kernels
    let mixedKernels: vgg_bf16_kernels
    let workers: Workers
    let version: ParameterVersion
    let shared: Memory
    let scratch: Memory
    let scratchStride: Int
    /// The step before, where it makes its output again for the backward pass.
    var source: (any Step)?

    func worker(_ index: Int) -> Memory { scratch + index * scratchStride }

    /// The same for steps whose parameters have a version of their own.
    func with(_ version: ParameterVersion) -> StepContext {
        StepContext(
            kernels: kernels, mixedKernels: mixedKernels, workers: workers, version: version, shared: shared,
            scratch: scratch, scratchStride: scratchStride)
    }
}

/// Bytes of memory that a step needs beside its activations and parameters.
struct StepScratch {
    /// While it runs.
    var shared = 0
    /// While one of its tasks runs, for each thread.
    var worker = 0
    /// From one run to the next: each copy of its weights in another layout.
    var copies: [Int] = []
}

/// Deals out parts of scratch memory, each aligned to a cache line.
struct ScratchParts {
    private(set) var total = 0
    /// Numbers that kernels may read past the end of a part.
    var beyond = slack

    /// The offset of a part of `count` numbers, with what kernels may read past its end.
    mutating func take<Number>(_ count: Int, of type: Number.Type) -> Int {
        guard count > 0 else { return total }
        defer { total += ((count + beyond) * MemoryLayout<Number>.stride).roundedUp(to: 64) }
        return total
    }
}

/// A step bound to its parameters. `x` and `y` are the batch's activations in the step's layouts; gradients
/// are plain: image after image, rows without borders, in the number format of their activation.
protocol Step: AnyObject {
    /// Makes the copies of weights that inference reads, where they are out of date.
    func prepare()

    func forward(_ pass: Pass, x: Memory, y: Memory)

    /// `gradient` is that of `y` and may be overwritten; `inputGradient` is nil where nobody needs it.
    /// `x` is not there where the step makes its input again.
    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?)

    /// Makes an image of the last forward pass's output again, between this pass and the step's backward pass. Only where
    /// `StepKind.canRemakeOutput` says so.
    func makeOutputAgain(_ image: Int, to y: Memory)
}

extension Step {
    func prepare() {}

    func makeOutputAgain(_ image: Int, to y: Memory) {
        preconditionFailure("the step's output is kept")
    }
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
    /// The flat buffers of gradients and of what the optimiser keeps; nil for inference.
    let gradientBuffer: Floats?
    let state: UpdateState?
    let groups: [ParameterGroup]
    /// Copies of its weights, in the order of `StepScratch.copies`.
    let copies: [WeightCopy]

    var values: [Floats] { offsets.map { buffer + $0 } }
    var gradients: [Floats] { gradientBuffer.map { base in offsets.map { base + $0 } } ?? [] }

    /// How a pass updates the first, the weights, as soon as their gradients are made; nil where it stores these.
    func update(in pass: Pass) -> Update? {
        guard let update = pass.update, let state else { return nil }
        return Update(update, groups[0], state)
    }
}
