import CVGGKernels
import VGGEngine
import VGGModel

/// In mixed precision: bfloat16 activations, 32-bit weights that kernels round on the way, 32-bit sums.
extension LinearStep {
    /// The weights in 16 bits, where there is a copy of them.
    func rounded() -> BF16s? {
        parameters.copies.first?.current(context.version) { copy in
            context.workers.run(over: panels, grain: 1) { panels, _ in
                context.mixedKernels.bf16_pack_weights(
                    parameters.values[0], copy, inputs, 1, panels.lowerBound, panels.upperBound)
            }
        }
    }

    private func shape(_ count: Int, x: Int, y: Int) -> vgg_linear {
        var shape = vgg_linear()
        (shape.rows, shape.inputs, shape.outputs) = (count, inputs, outputs)
        (shape.x_row, shape.y_row) = (x, y)
        return shape
    }

    /// Two panels of outputs from number `first`, of some images.
    func multiplyMixed(
        _ images: Range<Int>, _ x: Numbers, _ rounded: BF16s?, to y: Memory, panels first: Int, worker: Int
    ) {
        let (input, output) = (planned.input, planned.output)
        let isFP32 = output.element == .float32
        var shape = shape(images.count, x: input.imageStride, y: output.imageStride)
        let y = y + images.lowerBound * output.imageStride * output.element.size
        context.mixedKernels.bf16_linear_forward(
            &shape, bf16s(x + images.lowerBound * input.imageStride), parameters.values[0], rounded,
            parameters.values[1], isFP32 ? nil : y.assumingMemoryBound(to: UInt16.self),
            isFP32 ? y.assumingMemoryBound(to: Float.self) : nil, self.worker(worker), first,
            min(first + 2, panels), relu ? 1 : 0)
    }

    func makeMixedGradients(_ pass: Pass, _ x: Numbers, _ gradient: Numbers, to inputGradient: Numbers?) {
        let kernels = context.mixedKernels
        let scratch = scratch(pass)
        let (x, dy, dx) = (bf16s(x), bf16s(gradient), inputGradient.map(bf16s))
        let leaves = pass.node.leaves.map(\.kernelLeaf)
        leaves.withUnsafeBufferPointer { leaves in
            var shape = shape(pass.count, x: planned.input.gradientStride, y: planned.output.gradientStride)
            (shape.leaves, shape.leaf_count) = (leaves.baseAddress, leaves.count)
            var inputShape = shape
            inputShape.x_row = planned.input.imageStride
            let transposed = bf16s(shared(scratch.transposedInput))
            let pairs = bf16s(shared(scratch.transposedGradient))
            // What a kernel reads is each task's own: Swift takes it to be changed by the call.
            context.workers.run(over: inputs, grain: 64) { [inputShape] range, _ in
                var inputShape = inputShape
                kernels.bf16_linear_transpose(&inputShape, x, transposed, range.lowerBound, range.upperBound)
            }
            context.workers.run(over: panels, grain: 1) { [shape] panels, _ in
                var shape = shape
                kernels.bf16_linear_pair(
                    &shape, dy, pairs, parameters.gradients[1], panels.lowerBound, panels.upperBound)
            }
            let update = parameters.update(in: pass)
            let offset = parameters.offsets[0]
            context.workers.run(tasks(pass).inputGradient) { [shape] range, worker in
                var (shape, arguments) = (shape, update?.arguments(from: offset) ?? vgg_update())
                kernels.bf16_linear_backward(
                    &shape, transposed, dy, pairs, parameters.values[0],
                    update == nil ? parameters.gradients[0] : nil, &arguments, dx, self.worker(worker),
                    range.lowerBound, range.upperBound)
            }
        }
    }
}
