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
    private var winners: [UInt8]
    /// The map the convolution itself makes, before the pool.
    private let full: ActivationLayout

    init(
        _ planned: PlannedStep, _ convolution: Convolution, relu: Bool, pool: Bool,
        _ parameters: BoundParameters, _ context: StepContext, _ plan: Plan
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
        winners = [UInt8](
            repeating: 0, count: plan.mode == .training ? planned.winnerBytes * plan.batchSize : 0)
    }

    static func scratch(
        _ planned: PlannedStep, _ convolution: Convolution, pool: Bool, plan: Plan
    ) -> StepScratch {
        let full = convolution.output(of: planned)
        // Two rows of 32 channels before the pool.
        var forward = ScratchParts()
        _ = forward.take(pool ? 2 * full.width * 32 : 0, of: Float.self)
        guard plan.mode == .training else { return StepScratch(worker: forward.total) }
        let map = GradientMap(
            convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
        var backward = ScratchParts()
        _ = backward.take(map.count, of: Float.self)
        let shared = flippedCount(convolution) + Plan.shards(of: plan.batchSize) * planned.shardStride
        return StepScratch(
            shared: shared * MemoryLayout<Float>.stride, worker: max(forward.total, backward.total))
    }

    private static func flippedCount(_ convolution: Convolution) -> Int {
        convolution.inChannels.roundedUp(to: panel) * convolution.outChannels
            * convolution.kernel * convolution.kernel
    }

    private func shape(yRow: Int, yPixel: Int) -> vgg_convolution {
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (yRow, yPixel)
        return shape
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        let output = planned.output
        var shape = shape(yRow: output.rowStride, yPixel: output.channels)
        // Images are the unit of work; a few images are cut into ranges of rows, which changes no sum.
        let ranges = min(output.height, max(1, 2 * context.workers.threads / pass.count))
        let keepsWinners = pass.isTraining && pool
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = winners.baseAddress
            context.workers.run(pass.count * ranges) { task, worker in
                let (image, range) = task.quotientAndRemainder(dividingBy: ranges)
                let rows = output.height * range / ranges..<output.height * (range + 1) / ranges
                let from = x + image * planned.input.imageStride
                let to = y + image * output.imageStride
                if range == 0 { output.zeroBorder(to) }
                if pool {
                    context.kernels.convolution_relu_pool(
                        &shape, from, parameters.values[0], parameters.values[1], to + output.interior,
                        keepsWinners ? winners.map { $0 + image * output.count } : nil,
                        context.worker(worker).assumingMemoryBound(to: Float.self), rows.lowerBound,
                        rows.upperBound)
                } else {
                    context.kernels.convolution(
                        &shape, from, parameters.values[0], parameters.values[1], to + output.interior,
                        rows.lowerBound, rows.upperBound, relu ? 1 : 0)
                }
            }
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        let flipped = context.shared.assumingMemoryBound(to: Float.self)
        if inputGradient != nil { flip(to: flipped) }

        let shards = Plan.shards(of: pass.count)
        let shardStride = planned.shardStride
        let shardSums = flipped + Self.flippedCount(convolution)
        let biasOffset = planned.parameterLayouts[0].count
        var shape = shape(yRow: gradientMap.map.row, yPixel: gradientMap.map.pixel)
        winners.withUnsafeBufferPointer { winners in
            context.workers.run(shards) { shard, worker in
                let sums = shardSums + shard * shardStride
                sums.update(repeating: 0, count: shardStride)
                let map = context.worker(worker).assumingMemoryBound(to: Float.self)
                // The border and what dilation leaves between pixels; each image overwrites the rest.
                map.update(repeating: 0, count: gradientMap.count)
                for image in Plan.images(ofShard: shard, of: shards, count: pass.count) {
                    let dy = map + gradientMap.interior
                    expand(
                        gradient: gradient + image * planned.output.count,
                        y: y + image * planned.output.imageStride + planned.output.interior,
                        winners: winners.baseAddress.map { $0 + image * planned.output.count }, to: dy)
                    context.kernels.convolution_weight_gradient(
                        &shape, x + image * planned.input.imageStride, dy, sums, sums + biasOffset)
                    if let inputGradient {
                        var back = gradientMap.backward
                        context.kernels.convolution(
                            &back, map + gradientMap.backwardOffset, flipped, nil,
                            inputGradient + image * planned.input.count, 0, planned.input.height, 0)
                    }
                }
            }
        }
        planned.addShards(shardSums, shards, to: parameters, context)
    }

    private func flip(to flipped: Floats) {
        context.workers.run(over: convolution.inChannels.panels, grain: 1) { panels in
            context.kernels.flip_weights(
                parameters.values[0], flipped, convolution.inChannels, convolution.outChannels,
                convolution.kernel, panels.lowerBound, panels.upperBound)
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
