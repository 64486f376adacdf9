import CVGGKernels
import VGGEngine
import VGGModel

/// A convolution with its bias, ReLU and 2×2 max pool in one.
///
/// Forward, a fused pool keeps the pooled value and one byte that says which of the four won, or that ReLU
/// killed them all; backward, a few images' full gradients are made again from that in a worker's scratch
/// memory, so that full maps of the whole batch exist in neither direction.
final class ConvolutionStep: FloatStep {
    private let planned: LaidOutStep
    private let convolution: Convolution
    private let relu: Bool
    private let pool: Bool
    private let parameters: BoundParameters
    private let context: StepContext
    private let gradientMap: GradientMap
    private let scratch: Scratch
    /// Weights transformed for Winograd's algorithm.
    private let transformed: WeightCopy
    private var winners: [UInt8]
    /// The map the convolution itself makes, before the pool.
    private let full: ActivationLayout

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
        scratch = Scratch(planned, convolution, pool: pool, batchSize: batchSize)
        transformed = parameters.copies[0]
        gradientMap = GradientMap(
            convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
        winners = [UInt8](
            repeating: 0, count: planned.winnerBytes * batchSize)
    }

    private func shared(_ offset: Int) -> Floats {
        (context.shared + offset).assumingMemoryBound(to: Float.self)
    }

    private func worker(_ index: Int, _ offset: Int) -> Floats {
        (context.worker(index) + offset).assumingMemoryBound(to: Float.self)
    }

    private func shape(yRow: Int, yPixel: Int) -> vgg_convolution {
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (yRow, yPixel)
        return shape
    }

    func prepare() {
        if convolution.forwardAlgorithm == .winograd { _ = transformedWeights() }
    }

    private func transformedWeights() -> Floats {
        transformed.current(context.version) {
            transform(
                parameters.values[0], inputs: convolution.inChannels, outputs: convolution.outChannels, to: $0
            )
        }
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        switch convolution.forwardAlgorithm {
        case .direct: forwardDirectly(pass, x: x, y: y)
        case .winograd: forwardByWinograd(pass, x: x, y: y)
        }
    }

    private func forwardDirectly(_ pass: Pass, x: Floats, y: Floats) {
        let output = planned.output
        var shape = shape(yRow: output.rowStride, yPixel: output.channels)
        // Images are the unit of work; a few images are cut into ranges of rows, which changes no sum.
        let ranges = min(output.height, max(1, 2 * context.workers.threads / pass.count))
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = pass.isTraining && pool ? winners.baseAddress : nil
            context.workers.run(pass.count * ranges) { task, worker in
                let (image, range) = task.quotientAndRemainder(dividingBy: ranges)
                let rows = output.height * range / ranges..<output.height * (range + 1) / ranges
                let from = x + image * planned.input.imageStride
                let to = y + image * output.imageStride
                if range == 0 { output.zeroBorder(to) }
                if pool {
                    context.kernels.convolution_relu_pool(
                        &shape, from, parameters.values[0], parameters.values[1], to + output.interior,
                        winners.map { $0 + image * output.count }, rows.lowerBound, rows.upperBound)
                } else {
                    context.kernels.convolution(
                        &shape, from, parameters.values[0], parameters.values[1], to + output.interior,
                        rows.lowerBound, rows.upperBound, relu ? 1 : 0)
                }
            }
        }
    }

    private func forwardByWinograd(_ pass: Pass, x: Floats, y: Floats) {
        let weights = transformedWeights()
        let output = planned.output
        context.workers.run(pass.count) { image, _ in output.zeroBorder(y + image * output.imageStride) }
        var shape = shape(yRow: output.rowStride, yPixel: output.channels)
        let tiles = pool ? full.pooledTiles : full.tiles
        let (from, to) = (planned.input.imageStride, output.imageStride)
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = pass.isTraining && pool ? winners.baseAddress : nil
            context.workers.run(
                over: pass.count * tiles, grain: Int(VGG_WINOGRAD_BLOCK)
            ) { range, worker in
                let temporary = self.worker(worker, scratch.tiles)
                if pool {
                    context.kernels.winograd_convolution_relu_pool(
                        &shape, from, x, weights, parameters.values[1], to, y + output.interior,
                        winners, temporary, range.lowerBound, range.upperBound)
                } else {
                    context.kernels.winograd_convolution(
                        &shape, from, x, weights, parameters.values[1], to, y + output.interior,
                        temporary, range.lowerBound, range.upperBound, relu ? 1 : 0)
                }
            }
        }
    }

    /// What the backward pass of a batch reads and writes.
    private struct Batch {
        let x, y, gradient: Floats
        let winners: UnsafePointer<UInt8>?
        let inputGradient: Floats?
    }

    /// One shard's sums, and scratch memory for Winograd's tiles, whose sums are transformed back at the end.
    private struct Sums {
        let weights, bias, transformed, tiles: Floats
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        if inputGradient != nil { flip() }
        let shards = Plan.shards(of: pass.count)
        let shardStride = planned.shardStride
        let shardSums = shared(scratch.sums)
        winners.withUnsafeBufferPointer { winners in
            let batch = Batch(
                x: x, y: y, gradient: gradient, winners: winners.baseAddress, inputGradient: inputGradient)
            context.workers.run(shards) { shard, worker in
                let weights = shardSums + shard * shardStride
                let sums = Sums(
                    weights: weights, bias: weights + planned.parameterLayouts[0].count,
                    transformed: self.worker(worker, scratch.transformedSums),
                    tiles: self.worker(worker, scratch.tiles))
                backward(
                    Plan.images(ofShard: shard, of: shards, count: pass.count), of: batch,
                    to: pass.needsWeightGradients ? sums : nil, worker: worker)
            }
        }
        if pass.needsWeightGradients { planned.addShards(shardSums, shards, to: parameters, context) }
    }

    /// One shard's images: the sums of its gradients of weights and bias (nil where they are not wanted), and the
    /// gradients of the inputs.
    private func backward(_ images: Range<Int>, of batch: Batch, to sums: Sums?, worker: Int) {
        sums?.weights.update(repeating: 0, count: planned.shardStride)
        if isTransformed {
            sums?.transformed.update(
                repeating: 0,
                count: vgg_winograd_weights_count(convolution.inChannels, convolution.outChannels))
        }
        let isPooled = convolution.readsPooledGradient(pool: pool)
        if isPooled, let sums { pooledWeightGradient(images, of: batch, to: sums) }
        if !isPooled || batch.inputGradient != nil {
            let maps = self.worker(worker, scratch.maps)
            // The borders and what dilation leaves between pixels; each image overwrites the rest.
            maps.update(repeating: 0, count: scratch.images * gradientMap.count)
            let dy = maps + gradientMap.interior
            let groups = (images.count + scratch.images - 1) / scratch.images
            for group in 0..<groups {
                let first = images.lowerBound + images.count * group / groups
                let images = first..<images.lowerBound + images.count * (group + 1) / groups
                for image in images {
                    expand(image, of: batch, to: dy + (image - first) * gradientMap.count)
                }
                if !isPooled, let sums { weightGradient(images, of: batch, dy: dy, to: sums) }
                if let inputGradient = batch.inputGradient {
                    self.inputGradient(
                        maps: maps, count: images.count, worker: worker,
                        to: inputGradient + first * planned.input.count)
                }
            }
        }
        if isTransformed, let sums {
            context.kernels.winograd_weight_gradient_end(
                sums.transformed, sums.weights, convolution.inChannels, 0, convolution.outChannels.panels)
        }
    }

    private var isTransformed: Bool { convolution.gradientAlgorithm == .winograd }

    /// The geometry of the gradient maps.
    private var gradientShape: vgg_convolution {
        shape(yRow: gradientMap.map.row, yPixel: gradientMap.map.pixel)
    }

    /// Under a pool, from the pooled gradient itself: by Winograd's tiles all images of the shard in one.
    private func pooledWeightGradient(_ images: Range<Int>, of batch: Batch, to sums: Sums) {
        guard let winners = batch.winners else { return }
        var shape = gradientShape
        let (stride, pooled) = (planned.input.imageStride, planned.output.count)
        switch convolution.gradientAlgorithm {
        case .winograd:
            let first = images.lowerBound
            context.kernels.winograd_pooled_weight_gradient(
                &shape, stride, batch.x + first * stride, batch.gradient + first * pooled,
                winners + first * pooled, sums.transformed, sums.bias, sums.tiles, 0,
                images.count * full.pooledTiles)
        case .direct:
            for image in images {
                context.kernels.pooled_weight_gradient(
                    &shape, batch.x + image * stride, batch.gradient + image * pooled,
                    winners + image * pooled,
                    sums.weights, sums.bias)
            }
        }
    }

    /// From the gradient maps of the images, which start at `dy`.
    private func weightGradient(_ images: Range<Int>, of batch: Batch, dy: Floats, to sums: Sums) {
        var shape = gradientShape
        let stride = planned.input.imageStride
        let from = batch.x + images.lowerBound * stride
        switch convolution.gradientAlgorithm {
        case .winograd:
            context.kernels.winograd_weight_gradient(
                &shape, stride, from, gradientMap.count, dy, sums.transformed, sums.bias,
                sums.tiles, 0, images.count * full.tiles)
        case .direct:
            for image in 0..<images.count {
                context.kernels.convolution_weight_gradient(
                    &shape, from + image * stride, dy + image * gradientMap.count, sums.weights, sums.bias)
            }
        }
    }

    /// The gradients of some images' inputs: convolutions of the gradient maps with the flipped weights.
    private func inputGradient(maps: Floats, count: Int, worker: Int, to inputGradient: Floats) {
        var back = gradientMap.backward
        let from = maps + gradientMap.backwardOffset
        switch convolution.backwardAlgorithm {
        case .direct:
            for image in 0..<count {
                context.kernels.convolution(
                    &back, from + image * gradientMap.count, shared(scratch.flipped), nil,
                    inputGradient + image * planned.input.count, 0, planned.input.height, 0)
            }
        case .winograd:
            context.kernels.winograd_convolution(
                &back, gradientMap.count, from, shared(scratch.flippedTransformed), nil, planned.input.count,
                inputGradient, self.worker(worker, scratch.tiles), 0, count * planned.input.tiles, 0)
        }
    }

    /// Makes the flipped weights, as the algorithm wants them.
    private func flip() {
        let flipped = shared(scratch.flipped)
        context.workers.run(over: convolution.inChannels.panels, grain: 1) { panels, _ in
            context.kernels.flip_weights(
                parameters.values[0], flipped, convolution.inChannels, convolution.outChannels,
                convolution.kernel, panels.lowerBound, panels.upperBound)
        }
        if convolution.backwardAlgorithm == .winograd {
            transform(
                flipped, inputs: convolution.outChannels, outputs: convolution.inChannels,
                to: shared(scratch.flippedTransformed))
        }
    }

    private func transform(_ weights: Floats, inputs: Int, outputs: Int, to transformed: Floats) {
        context.workers.run(over: outputs.panels, grain: 1) { panels, _ in
            context.kernels.winograd_weights(
                weights, transformed, inputs, panels.lowerBound, panels.upperBound)
        }
    }

    /// One image's gradient before ReLU and pool, at full resolution.
    private func expand(_ image: Int, of batch: Batch, to dy: Floats) {
        let output = planned.output
        let gradient = batch.gradient + image * output.count
        var map = gradientMap.map
        if pool, let winners = batch.winners {
            context.kernels.unpool_gradient(
                gradient, winners + image * output.count, output.height, output.width, &map, dy)
        } else {
            var outputMap = output.map
            let y = batch.y + image * output.imageStride + output.interior
            context.kernels.mask_gradient(&outputMap, relu ? y : nil, gradient, &map, dy)
        }
    }
}
