import CVGGKernels
import VGGEngine
import VGGModel

/// A linear layer with its ReLU. The weights, nearly all of a VGG's parameters, are 32-bit floats that mixed precision
/// rounds on the way; where a neighbour works in another number format, the batch is converted in shared scratch memory on
/// its way in or out.
final class LinearStep<Number: Arithmetic>: Step {
    typealias Numbers = UnsafeMutablePointer<Number>

    let planned: LaidOutStep
    let inputs: Int
    let outputs: Int
    let parameters: BoundParameters
    let context: StepContext
    let relu: Bool

    init(
        _ planned: LaidOutStep, _ linear: Linear, relu: Bool, _ parameters: BoundParameters,
        _ context: StepContext
    ) {
        self.planned = planned
        self.inputs = linear.inFeatures
        self.outputs = linear.outFeatures
        self.relu = relu
        self.parameters = parameters
        self.context = context
    }

    static var isMixed: Bool { Number.element == .bfloat16 }

    var panels: Int { outputs.panels }

    /// Where the step's temporary numbers lie in shared memory, in bytes, for a batch of `count`.
    struct Scratch {
        /// Of the batch, where it is converted.
        let input, gradient, inputGradient: Int
        /// The input, transposed.
        let transposedInput: Int
        /// The gradients of the input and of the output, transposed, in single precision; in mixed precision that of the
        /// output in pairs.
        let transposedInputGradient, transposedGradient: Int
        let total: Int

        init(_ planned: LaidOutStep, _ linear: (inputs: Int, outputs: Int), count: Int, training: Bool) {
            let (inputs, outputs) = (linear.inputs, linear.outputs.panels * panel)
            let needsInput = training && planned.needsInputGradient
            let convertsInput = planned.input.element != Number.element
            let convertsOutput = planned.output.element != Number.element
            // A product reads what it multiplies and no more.
            var parts = ScratchParts(beyond: isMixed ? slack : 0)
            input = parts.take(convertsInput ? count * planned.input.imageStride : 0, of: Number.self)
            gradient = parts.take(
                training && convertsOutput ? count * planned.output.gradientStride : 0, of: Number.self)
            // In mixed precision leaves of an odd number of images are filled up.
            let columns =
                isMixed
                ? min(2 * count, (count + SumTree.shards).roundedUp(to: 2)) : count.roundedUp(to: panel)
            transposedInput = parts.take(planned.trainsParameters ? inputs * columns : 0, of: Number.self)
            transposedInputGradient = parts.take(
                needsInput && !isMixed ? inputs * columns : 0, of: Number.self)
            transposedGradient = parts.take(
                training && isMixed || needsInput ? outputs * columns : 0, of: Number.self)
            inputGradient = parts.take(
                needsInput && convertsInput ? count * planned.input.gradientStride : 0, of: Number.self)
            total = parts.total
        }
    }

    /// Bytes of the weights in 16 bits, which inference reads: half of what a small batch has to wait for.
    static func copies(_ linear: Linear) -> [Int] {
        guard isMixed else { return [] }
        let count = vgg_bf16_weights_count(linear.inFeatures, linear.outFeatures, 1)
        return [count * MemoryLayout<Number>.stride]
    }

    func scratch(_ pass: Pass) -> Scratch {
        Scratch(planned, (inputs, outputs), count: pass.count, training: pass.isTraining)
    }

    func tasks(_ pass: Pass) -> LinearTasks {
        LinearTasks(
            planned, inputs: inputs, outputs: outputs, count: pass.count, threads: context.workers.threads)
    }

    func shared(_ offset: Int) -> Numbers { (context.shared + offset).assumingMemoryBound(to: Number.self) }

    func worker(_ index: Int) -> Floats { context.worker(index).assumingMemoryBound(to: Float.self) }

    func prepare() { _ = rounded() }

    func forward(_ pass: Pass, x: Memory, y: Memory) {
        let input = input(pass, x)
        let rounded = rounded()
        context.workers.run(tasks(pass).forward) { pair, images, worker in
            if Self.isMixed {
                multiplyMixed(images, input, rounded, to: y, panels: 2 * pair, worker: worker)
            } else {
                multiply(images, input, to: y, column: 2 * pair * panel)
            }
        }
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        let dy = self.gradient(pass, gradient, y: y)
        let input = input(pass, x)
        let isConverted = planned.input.element != Number.element
        let dx = inputGradient.map {
            isConverted
                ? shared(scratch(pass).inputGradient) : $0.assumingMemoryBound(to: Number.self)
        }
        if Self.isMixed {
            makeMixedGradients(pass, input, dy, to: dx)
        } else {
            makeGradients(pass, input, dy, to: dx)
        }
        guard isConverted, let dx, let inputGradient else { return }
        let stride = planned.input.gradientStride
        context.workers.run(pass.count) { image, _ in
            Number.element.load(
                dx + image * stride,
                to: inputGradient.assumingMemoryBound(to: Float.self) + image * stride, count: inputs,
                context.mixedKernels)
        }
    }

    /// The batch's inputs as the kernels read them, `imageStride` apart.
    private func input(_ pass: Pass, _ x: Memory) -> Numbers {
        guard planned.input.element != Number.element else { return x.assumingMemoryBound(to: Number.self) }
        let converted = shared(scratch(pass).input)
        let stride = planned.input.imageStride
        context.workers.run(pass.count) { image, _ in
            Number.element.store(
                x.assumingMemoryBound(to: Float.self) + image * stride,
                to: Memory(converted + image * stride), count: inputs, context.mixedKernels)
        }
        return converted
    }

    /// The gradient before the ReLU as the kernels read it, `gradientStride` apart.
    private func gradient(_ pass: Pass, _ gradient: Memory, y: Memory) -> Numbers {
        let (output, stride) = (planned.output, planned.output.gradientStride)
        let isConverted = output.element != Number.element
        let converted =
            isConverted ? shared(scratch(pass).gradient) : gradient.assumingMemoryBound(to: Number.self)
        guard relu || isConverted else { return converted }
        context.workers.run(pass.count) { image, _ in
            let y = y + image * output.imageStride * output.element.size
            let gradient = gradient + image * stride * output.element.size
            if relu {
                switch output.element {
                case .float32:
                    context.kernels.relu_gradient(
                        y.assumingMemoryBound(to: Float.self), gradient.assumingMemoryBound(to: Float.self),
                        outputs)
                case .bfloat16:
                    context.mixedKernels.bf16_relu_gradient(
                        y.assumingMemoryBound(to: UInt16.self), gradient.assumingMemoryBound(to: UInt16.self),
                        outputs)
                }
            }
            if isConverted {
                Number.element.store(
                    gradient.assumingMemoryBound(to: Float.self), to: Memory(converted + image * stride),
                    count: outputs, context.mixedKernels)
            }
        }
        return converted
    }
}
