import CVGGKernels
import VGGEngine
import VGGModel

/// A linear layer with its ReLU in mixed precision: bfloat16 activations, 32-bit weights that kernels round on
/// the way, 32-bit sums.
///
/// Where a neighbour works in 32 bits, the batch is converted in shared scratch memory on its way in or out.
final class MixedLinearStep: Step {
    private let planned: LaidOutStep
    private let inputs: Int
    private let outputs: Int
    private let relu: Bool
    private let parameters: BoundParameters
    private let context: StepContext
    /// The weights in 16 bits, which inference reads instead: half of what a small batch has to wait for.
    private let rounded: WeightCopy?

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
        rounded = parameters.copies.first
    }

    /// Where a step's temporary numbers lie in shared memory, in bytes, for a batch of `count`.
    private struct Scratch {
        let input, gradient, transposed, pairs, inputGradient: Int
        let total: Int

        init(_ planned: LaidOutStep, _ linear: (inputs: Int, outputs: Int), count: Int, training: Bool) {
            let even = count.roundedUp(to: 2)
            var parts = ScratchParts()
            let (input, output) = (planned.input.element, planned.output.element)
            self.input = parts.take(
                input == .float32 ? count * planned.input.imageStride : 0, of: UInt16.self)
            gradient = parts.take(
                training && output == .float32 ? count * planned.output.gradientStride : 0, of: UInt16.self)
            transposed = parts.take(training ? linear.inputs * even : 0, of: UInt16.self)
            pairs = parts.take(training ? linear.outputs.panels * panel * even : 0, of: UInt16.self)
            inputGradient = parts.take(
                training && planned.needsInputGradient && input == .float32
                    ? count * planned.input.gradientStride : 0, of: UInt16.self)
            total = parts.total
        }
    }

    static func scratch(_ planned: LaidOutStep, _ linear: Linear, batchSize: Int) -> StepScratch {
        let training = planned.mode == .training
        var shape = vgg_linear()
        shape.rows = batchSize
        let worker = max(
            vgg_bf16_linear_forward_scratch(&shape),
            training ? vgg_bf16_linear_backward_scratch(&shape) : 0)
        return StepScratch(
            shared: Scratch(
                planned, (linear.inFeatures, linear.outFeatures), count: batchSize, training: training
            ).total,
            worker: (worker + slack) * MemoryLayout<Float>.stride,
            copies: training
                ? []
                : [
                    vgg_bf16_weights_count(linear.inFeatures, linear.outFeatures, 1)
                        * MemoryLayout<UInt16>.stride
                ])
    }

    private func scratch(_ pass: Pass) -> Scratch {
        Scratch(planned, (inputs, outputs), count: pass.count, training: pass.isTraining)
    }

    private func halves(_ offset: Int) -> Halves {
        (context.shared + offset).assumingMemoryBound(to: UInt16.self)
    }

    private func floats(_ worker: Int) -> Floats {
        context.worker(worker).assumingMemoryBound(to: Float.self)
    }

    /// The batch's inputs in bfloat16, `imageStride` apart.
    private func input(_ pass: Pass, _ x: Memory) -> Halves {
        guard planned.input.element == .float32 else { return x.assumingMemoryBound(to: UInt16.self) }
        let converted = halves(scratch(pass).input)
        let stride = planned.input.imageStride
        context.workers.run(pass.count) { image, _ in
            context.mixedKernels.bf16_from_float(
                x.assumingMemoryBound(to: Float.self) + image * stride, converted + image * stride, inputs)
        }
        return converted
    }

    func prepare() { rounded.map { _ = roundWeights($0) } }

    func forward(_ pass: Pass, x: Memory, y: Memory) {
        let input = input(pass, x)
        let isWide = planned.output.element == .float32
        var shape = vgg_linear(
            rows: pass.count, inputs: inputs, outputs: outputs, x_row: planned.input.imageStride,
            y_row: planned.output.imageStride)
        let copy = rounded.map { roundWeights($0) }
        context.workers.run((outputs.panels + 1) / 2) { task, worker in
            context.mixedKernels.bf16_linear_forward(
                &shape, input, parameters.values[0], copy, parameters.values[1],
                isWide ? nil : y.assumingMemoryBound(to: UInt16.self),
                isWide ? y.assumingMemoryBound(to: Float.self) : nil, floats(worker), 2 * task,
                min(2 * task + 2, outputs.panels), relu ? 1 : 0)
        }
    }

    private func roundWeights(_ copy: WeightCopy) -> Halves {
        copy.current(context.version) { copy in
            context.workers.run(over: outputs.panels, grain: 1) { panels, _ in
                context.mixedKernels.bf16_pack_weights(
                    parameters.values[0], copy, inputs, 1, panels.lowerBound, panels.upperBound)
            }
        }
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        let kernels = context.mixedKernels
        let scratch = scratch(pass)
        let dy = self.gradient(pass, gradient, y: y)
        let input = input(pass, x)
        var shape = vgg_linear(
            rows: pass.count, inputs: inputs, outputs: outputs, x_row: planned.input.gradientStride,
            y_row: planned.output.gradientStride)
        let (transposed, pairs) = (halves(scratch.transposed), halves(scratch.pairs))
        context.workers.run(over: inputs, grain: 64) { range, _ in
            kernels.bf16_linear_transpose(
                input, planned.input.imageStride, pass.count, transposed, range.lowerBound, range.upperBound)
        }
        context.workers.run(over: outputs.panels, grain: 1) { panels, _ in
            kernels.bf16_linear_pair(
                &shape, dy, pairs, parameters.gradients[1], panels.lowerBound, panels.upperBound)
        }

        let isConverted = planned.input.element == .float32
        let dx =
            isConverted ? halves(scratch.inputGradient) : inputGradient?.assumingMemoryBound(to: UInt16.self)
        let update = parameters.update(in: pass)
        var sgd = update?.arguments ?? vgg_sgd()
        let offset = parameters.offsets[0]
        let step = Int(VGG_LINEAR_INPUTS)
        context.workers.run((inputs + step - 1) / step) { task, worker in
            kernels.bf16_linear_backward(
                &shape, transposed, dy, pairs, parameters.values[0],
                update == nil ? parameters.gradients[0] : nil, &sgd,
                update?.momentum.map { $0 + offset }, inputGradient == nil ? nil : dx, floats(worker),
                task * step, min(task * step + step, inputs))
        }
        if isConverted, let inputGradient, let dx {
            context.workers.run(pass.count) { image, _ in
                kernels.bf16_to_float(
                    dx + image * planned.input.gradientStride,
                    inputGradient.assumingMemoryBound(to: Float.self) + image * planned.input.gradientStride,
                    inputs)
            }
        }
    }

    /// The gradient before the ReLU in bfloat16, `gradientStride` apart.
    private func gradient(_ pass: Pass, _ gradient: Memory, y: Memory) -> Halves {
        let kernels = context.mixedKernels
        let output = planned.output
        let stride = output.gradientStride
        if output.element == .float32 {
            let floats = gradient.assumingMemoryBound(to: Float.self)
            let converted = halves(scratch(pass).gradient)
            context.workers.run(pass.count) { image, _ in
                if relu {
                    context.kernels.relu_gradient(
                        y.assumingMemoryBound(to: Float.self) + image * output.imageStride,
                        floats + image * stride, outputs)
                }
                kernels.bf16_from_float(floats + image * stride, converted + image * stride, outputs)
            }
            return converted
        }
        let halves = gradient.assumingMemoryBound(to: UInt16.self)
        if relu {
            context.workers.run(pass.count) { image, _ in
                kernels.bf16_relu_gradient(
                    y.assumingMemoryBound(to: UInt16.self) + image * output.imageStride,
                    halves + image * stride, outputs)
            }
        }
        return halves
    }
}
