import CVGGKernels
import VGGModel

/// A convolution with its bias, ReLU and 2×2 max pool in one.
///
/// Forward, a fused pool keeps the pooled value and one byte that says which of the four won, or that ReLU
/// killed them all; backward, one image's full gradient is made again from that in a worker's scratch memory,
/// so that full maps of the whole batch exist in neither direction.
final class ConvolutionStep: FloatStep {
    private let planned: PlannedStep
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
        _ planned: PlannedStep, _ convolution: Convolution, relu: Bool, pool: Bool,
        _ parameters: BoundParameters, _ context: StepContext, _ plan: Plan
    ) throws(PlanError) {
        self.planned = planned
        self.convolution = convolution
        self.relu = relu
        self.pool = pool
        self.parameters = parameters
        self.context = context
        full = convolution.output(of: planned)
        scratch = Scratch(planned, convolution, pool: pool, plan: plan)
        transformed = try WeightCopy(bytes: scratch.kept)
        gradientMap = GradientMap(
            convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
        winners = [UInt8](
            repeating: 0, count: planned.winnerBytes * plan.batchSize)
    }

    /// Where a step's temporary floats lie, in bytes.
    private struct Scratch {
        /// Twice the weight gradient's block: a few blocks of even size leave no sliver.
        private static let tilesAtOnce = 4 * Int(VGG_WINOGRAD_BLOCK)

        /// Images whose full gradients a worker holds at once, so that their tiles fill Winograd's blocks.
        let images: Int
        /// Of a worker: the full gradients, Winograd's tiles, and the weight gradient's sums, transformed.
        let maps, tiles, transformedSums: Int
        let worker: Int
        /// Shared: the flipped weights, the same transformed, and the shards' sums.
        let flipped, flippedTransformed, sums: Int
        let shared: Int
        /// Kept: the transformed weights.
        let kept: Int

        init(_ planned: PlannedStep, _ convolution: Convolution, pool: Bool, plan: Plan) {
            let training = planned.mode == .training
            let full = convolution.output(of: planned)
            let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
            let (forward, backward) = (
                convolution.forwardAlgorithm == .winograd,
                training && planned.needsInputGradient && convolution.backwardAlgorithm == .winograd
            )
            let gradientMap = GradientMap(
                convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
            var worker = ScratchParts()
            let needsMap = planned.needsInputGradient || !convolution.readsPooledGradient(pool: pool)
            let gradient = training && convolution.gradientAlgorithm == .winograd
            let shards = Plan.shards(of: plan.batchSize)
            images =
                backward || gradient
                ? min((plan.batchSize + shards - 1) / shards, max(1, Self.tilesAtOnce / full.tiles)) : 1
            maps = worker.take(training && needsMap ? images * gradientMap.count : 0, of: Float.self)
            tiles = worker.take(
                max(
                    forward ? vgg_winograd_scratch(inputs) : 0, backward ? vgg_winograd_scratch(outputs) : 0,
                    gradient ? vgg_winograd_gradient_scratch(inputs) : 0),
                of: Float.self)
            transformedSums = worker.take(
                gradient ? vgg_winograd_weights_count(inputs, outputs) : 0, of: Float.self)
            self.worker = worker.total

            var shared = ScratchParts()
            flipped = shared.take(
                training && planned.needsInputGradient
                    ? inputs.panels * panel * outputs * convolution.kernel * convolution.kernel : 0,
                of: Float.self)
            flippedTransformed = shared.take(
                backward ? vgg_winograd_weights_count(outputs, inputs) : 0, of: Float.self)
            sums = shared.take(
                training ? Plan.shards(of: plan.batchSize) * planned.shardStride : 0, of: Float.self)
            self.shared = shared.total
            kept = forward ? vgg_winograd_weights_count(inputs, outputs) * MemoryLayout<Float>.stride : 0
        }
    }

    static func scratch(
        _ planned: PlannedStep, _ convolution: Convolution, pool: Bool, plan: Plan
    ) -> StepScratch {
        let scratch = Scratch(planned, convolution, pool: pool, plan: plan)
        return StepScratch(shared: scratch.shared, worker: scratch.worker, kept: scratch.kept)
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
        let weights = transformed.current(context.version) {
            transform(
                parameters.values[0], inputs: convolution.inChannels, outputs: convolution.outChannels, to: $0
            )
        }
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

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        if inputGradient != nil { flip() }
        let shards = Plan.shards(of: pass.count)
        let shardStride = planned.shardStride
        let shardSums = shared(scratch.sums)
        winners.withUnsafeBufferPointer { winners in
            context.workers.run(shards) { shard, worker in
                backward(
                    Plan.images(ofShard: shard, of: shards, count: pass.count), x: x, y: y,
                    gradient: gradient, winners: winners.baseAddress, sums: shardSums + shard * shardStride,
                    worker: worker, inputGradient: inputGradient)
            }
        }
        planned.addShards(shardSums, shards, to: parameters, context)
    }

    /// One shard's images: the sums of its gradients of weights and bias, and the gradients of the inputs.
    private func backward(
        _ images: Range<Int>, x: Floats, y: Floats, gradient: Floats, winners: UnsafePointer<UInt8>?,
        sums: Floats, worker: Int, inputGradient: Floats?
    ) {
        let output = planned.output
        let biasSums = sums + planned.parameterLayouts[0].count
        sums.update(repeating: 0, count: planned.shardStride)
        let isTransformed = convolution.gradientAlgorithm == .winograd
        let transformedSums = self.worker(worker, scratch.transformedSums)
        let tileScratch = self.worker(worker, scratch.tiles)
        if isTransformed {
            transformedSums.update(
                repeating: 0,
                count: vgg_winograd_weights_count(convolution.inChannels, convolution.outChannels))
        }
        // Under a pool the pooled gradient itself is read, by Winograd's tiles all images of the shard in one.
        let isPooled = convolution.readsPooledGradient(pool: pool)
        var shape = shape(yRow: gradientMap.map.row, yPixel: gradientMap.map.pixel)
        if isPooled, isTransformed, let winners {
            context.kernels.winograd_pooled_weight_gradient(
                &shape, planned.input.imageStride, x + images.lowerBound * planned.input.imageStride,
                gradient + images.lowerBound * output.count, winners + images.lowerBound * output.count,
                transformedSums, biasSums, tileScratch, 0, images.count * full.pooledTiles)
        }
        if isPooled, !isTransformed, let winners {
            for image in images {
                context.kernels.pooled_weight_gradient(
                    &shape, x + image * planned.input.imageStride, gradient + image * output.count,
                    winners + image * output.count, sums, biasSums)
            }
        }
        if !isPooled || inputGradient != nil {
            let maps = self.worker(worker, scratch.maps)
            // The borders and what dilation leaves between pixels; each image overwrites the rest.
            maps.update(repeating: 0, count: scratch.images * gradientMap.count)
            let groups = (images.count + scratch.images - 1) / scratch.images
            for group in 0..<groups {
                let first = images.lowerBound + images.count * group / groups
                let images = first..<images.lowerBound + images.count * (group + 1) / groups
                let dy = maps + gradientMap.interior
                for image in images {
                    expand(
                        gradient: gradient + image * output.count,
                        y: y + image * output.imageStride + output.interior,
                        winners: winners.map { $0 + image * output.count },
                        to: dy + (image - first) * gradientMap.count)
                }
                let from = x + first * planned.input.imageStride
                switch convolution.gradientAlgorithm {
                case _ where isPooled: break
                case .winograd:
                    context.kernels.winograd_weight_gradient(
                        &shape, planned.input.imageStride, from, gradientMap.count, dy, transformedSums,
                        biasSums, tileScratch, 0, images.count * full.tiles)
                case .direct:
                    for image in 0..<images.count {
                        context.kernels.convolution_weight_gradient(
                            &shape, from + image * planned.input.imageStride, dy + image * gradientMap.count,
                            sums, biasSums)
                    }
                }
                if let inputGradient {
                    self.inputGradient(
                        maps: maps, count: images.count, worker: worker,
                        to: inputGradient + first * planned.input.count)
                }
            }
        }
        if isTransformed {
            context.kernels.winograd_weight_gradient_end(
                transformedSums, sums, convolution.inChannels, 0, convolution.outChannels.panels)
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
    private func expand(gradient: Floats, y: Floats, winners: UnsafePointer<UInt8>?, to dy: Floats) {
        var map = gradientMap.map
        if pool, let winners {
            context.kernels.unpool_gradient(
                gradient, winners, planned.output.height, planned.output.width, &map, dy)
        } else {
            var output = planned.output.map
            context.kernels.mask_gradient(&output, relu ? y : nil, gradient, &map, dy)
        }
    }
}

extension ActivationLayout {
    /// Winograd's tiles of an image: 4×4 outputs each, of which a pool leaves 2×2.
    fileprivate var tiles: Int { ((height + 3) / 4) * ((width + 3) / 4) }
    fileprivate var pooledTiles: Int { ((height / 2 + 1) / 2) * ((width / 2 + 1) / 2) }
}
