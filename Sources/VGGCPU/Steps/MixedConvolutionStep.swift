import CVGGKernels
import VGGEngine
import VGGModel

typealias Halves = UnsafeMutablePointer<UInt16>

/// A convolution with its bias, ReLU and 2×2 max pool in one, in mixed precision: bfloat16 activations and
/// weights, 32-bit sums, gradients of weights and master weights.
///
/// Where a neighbour works in 32 bits, an image is converted in a worker's scratch memory on its way in or out.
final class MixedConvolutionStep: Step {
    private let planned: LaidOutStep
    private let convolution: Convolution
    private let relu: Bool
    private let pool: Bool
    private let parameters: BoundParameters
    private let context: StepContext
    private let full: ActivationLayout
    private let gradientMap: GradientMap
    private let scratch: Scratch
    /// The weights for the direct convolution and for Winograd's algorithm.
    private let packed, transformed: WeightCopy
    private var winners: [UInt8]

    init(
        _ planned: LaidOutStep, _ convolution: Convolution, relu: Bool, pool: Bool,
        _ parameters: BoundParameters, _ context: StepContext, batchSize: Int
    ) {
        self.planned = planned
        self.convolution = convolution
        self.relu = relu
        self.pool = pool
        self.parameters = parameters
        self.context = context
        full = convolution.output(of: planned)
        gradientMap = GradientMap(
            convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
        scratch = Scratch(planned, convolution, pool: pool, batchSize: batchSize)
        (packed, transformed) = (parameters.copies[0], parameters.copies[1])
        winners = [UInt8](
            repeating: 0, count: planned.winnerBytes * batchSize)
    }

    /// Where a step's temporary numbers lie, in bytes.
    private struct Scratch {
        /// Of a worker: the input, output and their gradients, where they have to be converted; the full
        /// gradient; and what a kernel wants.
        let input, output, gradient, inputGradient, map, kernel, tiles: Int
        let worker: Int
        /// Shared: the weights as the gradient of the input wants them, and the shards' sums.
        let backwardWeights, sums: Int
        let shared: Int
        /// Kept: the weights as the two algorithms want them, where they run.
        let packedBytes, transformedBytes: Int
        let skipsZeros: Bool

        init(_ planned: LaidOutStep, _ convolution: Convolution, pool: Bool, batchSize: Int) {
            let full = convolution.output(of: planned)
            let training = planned.mode == .training
            let (convertsInput, convertsOutput) = (
                planned.input.element == .float32, planned.output.element == .float32
            )
            let gradientMap = GradientMap(
                convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
            var worker = ScratchParts()
            input = worker.take(convertsInput ? planned.input.imageStride : 0, of: UInt16.self)
            output = worker.take(convertsOutput ? planned.output.count : 0, of: UInt16.self)
            gradient = worker.take(training && convertsOutput ? planned.output.count : 0, of: UInt16.self)
            inputGradient = worker.take(
                training && convertsInput && planned.needsInputGradient ? planned.input.count : 0,
                of: UInt16.self)
            skipsZeros = convolution.skipsZeros(pool: pool)
            map = worker.take(training && !skipsZeros ? gradientMap.count : 0, of: UInt16.self)
            var shape = convolution.shape(full, x: planned.input)
            let kernels =
                skipsZeros
                ? max(
                    vgg_bf16_pooled_weight_gradient_scratch(&shape),
                    2 * vgg_bf16_pooled_input_gradient_scratch(&shape))
                : vgg_bf16_weight_gradient_scratch(&shape)
            kernel = worker.take(training ? kernels : 0, of: UInt16.self)
            let infersByWinograd = planned.infersByWinograd(convolution)
            tiles = worker.take(
                infersByWinograd ? vgg_bf16_winograd_scratch(convolution.inChannels) : 0, of: Float.self)
            self.worker = worker.total

            let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
            var shared = ScratchParts()
            backwardWeights = shared.take(
                training && planned.needsInputGradient
                    ? max(
                        vgg_bf16_weights_count(outputs, inputs, convolution.kernel),
                        vgg_bf16_pooled_weights_count(inputs, outputs)) : 0,
                of: UInt16.self)
            sums = shared.take(
                training ? Plan.shards(of: batchSize) * planned.shardStride : 0, of: Float.self)
            self.shared = shared.total
            let half = MemoryLayout<UInt16>.stride
            packedBytes =
                training || !infersByWinograd
                ? vgg_bf16_weights_count(inputs, outputs, convolution.kernel) * half : 0
            transformedBytes =
                infersByWinograd ? vgg_bf16_winograd_weights_count(inputs, outputs) * half : 0
        }
    }

    static func scratch(
        _ planned: LaidOutStep, _ convolution: Convolution, pool: Bool, batchSize: Int
    ) -> StepScratch {
        let scratch = Scratch(planned, convolution, pool: pool, batchSize: batchSize)
        return StepScratch(
            shared: scratch.shared, worker: scratch.worker,
            copies: [scratch.packedBytes, scratch.transformedBytes])
    }

    private func halves(_ worker: Int, _ offset: Int) -> Halves {
        (context.worker(worker) + offset).assumingMemoryBound(to: UInt16.self)
    }

    /// An image of the input in bfloat16, with its border.
    private func input(_ x: Memory, image: Int, worker: Int) -> Halves {
        let layout = planned.input
        let from = x + image * layout.imageStride * layout.element.size
        guard layout.element == .float32 else { return from.assumingMemoryBound(to: UInt16.self) }
        let converted = halves(worker, scratch.input)
        context.mixedKernels.bf16_from_float(
            from.assumingMemoryBound(to: Float.self), converted, layout.imageStride)
        return converted
    }

    func prepare() {
        _ = planned.infersByWinograd(convolution) ? transformedWeights() : packedWeights()
    }

    private func packedWeights() -> Halves {
        packed.current(context.version) { copy in
            context.workers.run(over: convolution.outChannels.panels, grain: 1) { panels, _ in
                context.mixedKernels.bf16_pack_weights(
                    parameters.values[0], copy, convolution.inChannels, convolution.kernel, panels.lowerBound,
                    panels.upperBound)
            }
        }
    }

    private func transformedWeights() -> Halves {
        transformed.current(context.version) { copy in
            context.workers.run(over: convolution.outChannels.panels, grain: 1) { panels, _ in
                context.mixedKernels.bf16_winograd_weights(
                    parameters.values[0], copy, convolution.inChannels, panels.lowerBound, panels.upperBound)
            }
        }
    }

    func forward(_ pass: Pass, x: Memory, y: Memory) {
        if !pass.isTraining, planned.infersByWinograd(convolution) {
            inferByWinograd(pass, x: x.assumingMemoryBound(to: UInt16.self), y: y)
        } else {
            forwardDirectly(pass, x: x, y: y)
        }
    }

    /// Tiles of all images are dealt out together, so that small maps fill a block of them too.
    private func inferByWinograd(_ pass: Pass, x: Halves, y: Memory) {
        let weights = transformedWeights()
        let output = planned.output
        context.workers.run(pass.count) { image, _ in
            output.zeroBorder(y + image * output.imageStride * output.element.size)
        }
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (output.rowStride, output.channels)
        let isWide = output.element == .float32
        let tiles = pool ? output.height * output.width : ((full.height + 1) / 2) * ((full.width + 1) / 2)
        context.workers.run(
            over: pass.count * tiles, grain: vgg_bf16_winograd_block(convolution.inChannels)
        ) { range, worker in
            context.mixedKernels.bf16_winograd_convolution(
                &shape, planned.input.imageStride, x, weights, parameters.values[1], output.imageStride,
                isWide ? nil : y.assumingMemoryBound(to: UInt16.self) + output.interior,
                isWide ? y.assumingMemoryBound(to: Float.self) + output.interior : nil,
                (context.worker(worker) + scratch.tiles).assumingMemoryBound(to: Float.self),
                range.lowerBound, range.upperBound, relu ? 1 : 0, pool ? 1 : 0)
        }
    }

    private func forwardDirectly(_ pass: Pass, x: Memory, y: Memory) {
        let weights = packedWeights()
        let output = planned.output
        let isConverted = output.element == .float32
        let target = isConverted ? output.plain : output
        var shape = convolution.shape(full, x: planned.input)
        shape.y_row = target.rowStride
        shape.y_pixel = target.channels
        let ranges = min(output.height, max(1, 2 * context.workers.threads / pass.count))
        let keepsWinners = pass.isTraining && pool
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = winners.baseAddress
            context.workers.run(pass.count * ranges) { task, worker in
                let (image, range) = task.quotientAndRemainder(dividingBy: ranges)
                let rows = output.height * range / ranges..<output.height * (range + 1) / ranges
                let from = input(x, image: image, worker: worker)
                let to = y + image * output.imageStride * output.element.size
                if range == 0 { output.zeroBorder(to) }
                let made =
                    isConverted
                    ? halves(worker, scratch.output)
                    : to.assumingMemoryBound(to: UInt16.self) + output.interior
                if pool {
                    context.mixedKernels.bf16_convolution_relu_pool(
                        &shape, from, weights, parameters.values[1], made,
                        keepsWinners ? winners.map { $0 + image * output.count } : nil, rows.lowerBound,
                        rows.upperBound)
                } else {
                    context.mixedKernels.bf16_convolution(
                        &shape, from, weights, parameters.values[1], made, rows.lowerBound, rows.upperBound,
                        relu ? 1 : 0)
                }
                guard isConverted else { return }
                for row in rows {
                    context.mixedKernels.bf16_to_float(
                        made + row * target.rowStride,
                        to.assumingMemoryBound(to: Float.self) + output.interior + row * output.rowStride,
                        target.rowStride)
                }
            }
        }
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        if inputGradient != nil { packBackwardWeights() }
        let shards = Plan.shards(of: pass.count)
        let stride = planned.shardStride
        let sums = (context.shared + scratch.sums).assumingMemoryBound(to: Float.self)
        winners.withUnsafeBufferPointer { winners in
            context.workers.run(shards) { shard, worker in
                let sums = sums + shard * stride
                sums.update(repeating: 0, count: stride)
                let map = halves(worker, scratch.map)
                // The border and what dilation leaves between pixels; each image overwrites the rest.
                if !skipsZeros { map.update(repeating: 0, count: gradientMap.count) }
                for image in Plan.images(ofShard: shard, of: shards, count: pass.count) {
                    backward(
                        x: input(x, image: image, worker: worker),
                        y: y + image * planned.output.imageStride * planned.output.element.size,
                        gradient: self.gradient(gradient, image: image, worker: worker),
                        winners: winners.baseAddress.map { $0 + image * planned.output.count },
                        sums: sums, map: map, worker: worker,
                        inputGradient: inputGradient.map {
                            $0 + image * planned.input.gradientStride * planned.input.element.size
                        })
                }
            }
        }
        planned.addShards(sums, shards, to: parameters, context)
    }

    /// The gradient of an image's output in bfloat16.
    private func gradient(_ gradient: Memory, image: Int, worker: Int) -> Halves {
        let layout = planned.output
        let from = gradient + image * layout.gradientStride * layout.element.size
        guard layout.element == .float32 else { return from.assumingMemoryBound(to: UInt16.self) }
        let converted = halves(worker, scratch.gradient)
        context.mixedKernels.bf16_from_float(
            from.assumingMemoryBound(to: Float.self), converted, layout.count)
        return converted
    }

    /// Under a pool three quarters of the full gradient are zero: kernels of their own work from the pooled
    /// one and its winners.
    private var skipsZeros: Bool { scratch.skipsZeros }

    private func packBackwardWeights() {
        let packed = (context.shared + scratch.backwardWeights).assumingMemoryBound(to: UInt16.self)
        context.workers.run(over: convolution.inChannels.panels, grain: 1) { panels, _ in
            if skipsZeros {
                context.mixedKernels.bf16_pack_pooled_weights(
                    parameters.values[0], packed, convolution.inChannels, convolution.outChannels,
                    panels.lowerBound, panels.upperBound)
            } else {
                context.mixedKernels.bf16_pack_flipped_weights(
                    parameters.values[0], packed, convolution.inChannels, convolution.outChannels,
                    convolution.kernel, panels.lowerBound, panels.upperBound)
            }
        }
    }

    /// One image: adds to the sums of weights and bias, and makes the input's gradient.
    private func backward(
        x: Halves, y: Memory, gradient: Halves, winners: UnsafePointer<UInt8>?, sums: Floats, map: Halves,
        worker: Int, inputGradient: Memory?
    ) {
        let kernels = context.mixedKernels
        let kernelScratch = halves(worker, scratch.kernel)
        let biasSums = sums + planned.parameterLayouts[0].count
        let weights = (context.shared + scratch.backwardWeights).assumingMemoryBound(to: UInt16.self)
        let isConverted = planned.input.element == .float32
        let dx =
            isConverted
            ? halves(worker, scratch.inputGradient) : inputGradient?.assumingMemoryBound(to: UInt16.self)
        var shape = convolution.shape(full, x: planned.input)

        if skipsZeros, let winners {
            kernels.bf16_pooled_weight_gradient(&shape, x, gradient, winners, sums, biasSums, kernelScratch)
            if inputGradient != nil {
                shape.x_row = planned.input.plain.rowStride
                kernels.bf16_pooled_input_gradient(
                    &shape, gradient, winners, weights, dx,
                    (context.worker(worker) + scratch.kernel).assumingMemoryBound(to: Float.self))
            }
        } else {
            let dy = map + gradientMap.interior
            var dyMap = gradientMap.map
            if pool, let winners {
                kernels.bf16_unpool_gradient(
                    gradient, winners, planned.output.height, planned.output.width, &dyMap, dy)
            } else {
                mask(gradient, y: y, to: dy, worker: worker)
            }
            shape.y_row = dyMap.row
            shape.y_pixel = dyMap.pixel
            kernels.bf16_weight_gradient(&shape, x, dy, sums, biasSums, kernelScratch)
            if inputGradient != nil {
                var back = gradientMap.backward
                kernels.bf16_convolution(
                    &back, map + gradientMap.backwardOffset, weights, nil, dx, 0, planned.input.height, 0)
            }
        }
        if isConverted, let dx, let inputGradient {
            kernels.bf16_to_float(
                dx, inputGradient.assumingMemoryBound(to: Float.self), planned.input.count)
        }
    }

    /// The gradient before the ReLU, where there is one, in the gradient map.
    private func mask(_ gradient: Halves, y: Memory, to dy: Halves, worker: Int) {
        let output = planned.output
        var map = gradientMap.map
        guard relu, output.element == .float32 else {
            var outputMap = output.map
            let values = y.assumingMemoryBound(to: UInt16.self) + output.interior
            context.mixedKernels.bf16_mask_gradient(&outputMap, relu ? values : nil, gradient, &map, dy)
            return
        }
        var outputMap = output.plain.map
        let values = halves(worker, scratch.output)
        for row in 0..<output.height {
            context.mixedKernels.bf16_from_float(
                y.assumingMemoryBound(to: Float.self) + output.interior + row * output.rowStride,
                values + row * output.plain.rowStride, output.plain.rowStride)
        }
        context.mixedKernels.bf16_mask_gradient(&outputMap, values, gradient, &map, dy)
    }
}
