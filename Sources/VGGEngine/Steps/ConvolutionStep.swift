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
        full = Self.full(planned, convolution, pool: pool)
        gradientMap = GradientMap(
            convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
        winners = [UInt8](
            repeating: 0, count: plan.mode == .training ? planned.winnerBytes * plan.batchSize : 0)
    }

    private static func full(
        _ planned: PlannedStep, _ convolution: Convolution, pool: Bool
    ) -> ActivationLayout {
        guard pool else { return planned.output }
        var full = planned.output
        full.height =
            (planned.input.height + 2 * convolution.padding - convolution.kernel) / convolution.stride + 1
        full.width =
            (planned.input.width + 2 * convolution.padding - convolution.kernel) / convolution.stride + 1
        return full
    }

    static func scratch(
        _ planned: PlannedStep, _ convolution: Convolution, pool: Bool, plan: Plan
    ) -> StepScratch {
        let full = full(planned, convolution, pool: pool)
        // Two rows of 32 channels before the pool.
        var scratch = StepScratch(shared: 0, worker: pool ? 2 * full.width * 32 : 0)
        if plan.mode == .training {
            let map = GradientMap(
                convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
            scratch.worker = max(scratch.worker, map.count)
            scratch.shared =
                flippedCount(convolution) + Plan.shards(of: plan.batchSize) * shardStride(planned)
        }
        scratch.worker = scratch.worker.roundedUp(to: 16)
        return scratch
    }

    private static func flippedCount(_ convolution: Convolution) -> Int {
        convolution.inChannels.roundedUp(to: panel) * convolution.outChannels
            * convolution.kernel * convolution.kernel
    }

    /// Floats of one shard's gradients of weights and bias.
    private static func shardStride(_ planned: PlannedStep) -> Int {
        planned.parameterLayouts.map(\.count).reduce(0, +)
    }

    private func shape(yRow: Int, yPixel: Int) -> vgg_convolution {
        vgg_convolution(
            in_channels: convolution.inChannels, out_channels: convolution.outChannels,
            kernel: convolution.kernel, stride: convolution.stride, out_height: full.height,
            out_width: full.width, x_row: planned.input.rowStride, y_row: yRow, y_pixel: yPixel)
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
                        context.worker(worker), rows.lowerBound, rows.upperBound)
                } else {
                    context.kernels.convolution(
                        &shape, from, parameters.values[0], parameters.values[1], to + output.interior,
                        rows.lowerBound, rows.upperBound, relu ? 1 : 0)
                }
            }
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        let flipped = context.shared
        if inputGradient != nil { flip(to: flipped) }

        let shards = Plan.shards(of: pass.count)
        let shardStride = Self.shardStride(planned)
        let shardSums = context.shared + Self.flippedCount(convolution)
        let biasOffset = planned.parameterLayouts[0].count
        var shape = shape(yRow: gradientMap.map.row, yPixel: gradientMap.map.pixel)
        winners.withUnsafeBufferPointer { winners in
            context.workers.run(shards) { shard, worker in
                let sums = shardSums + shard * shardStride
                sums.update(repeating: 0, count: shardStride)
                let map = context.worker(worker)
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
        for (offset, parameter) in [(0, 0), (biasOffset, 1)] {
            let total = parameters.gradients[parameter]
            context.workers.run(over: planned.parameterLayouts[parameter].count, grain: 4096) { range in
                context.kernels.sum_shards(
                    shardSums + offset + range.lowerBound, shards, shardStride, total + range.lowerBound,
                    range.count)
            }
        }
    }

    private func flip(to flipped: Floats) {
        context.workers.run(over: convolution.inChannels.roundedUp(to: panel) / panel, grain: 1) { panels in
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

/// How the gradient of one image's convolution output lies in scratch memory. For the gradient of the input
/// it is read by a convolution with stride 1 and flipped weights, and so needs a zero border, and zeros
/// between its pixels where the stride is more than 1 (Dumoulin & Visin 2016, section 4).
private struct GradientMap {
    let map: vgg_map
    /// Floats from the start of the scratch memory to the first pixel.
    let interior: Int
    /// Floats of scratch memory, with what kernels may read past the end.
    let count: Int
    /// The convolution that makes the input's gradient, and where it starts to read.
    let backward: vgg_convolution
    let backwardOffset: Int

    init(_ convolution: Convolution, output: ActivationLayout, input: ActivationLayout, forInput: Bool) {
        let channels = output.channels
        let (kernel, padding) = (convolution.kernel, convolution.padding)
        let stride = forInput ? convolution.stride : 1
        let border = forInput ? max(kernel - 1 - padding, 0) : 0
        let offset = max(padding - kernel + 1, 0)
        // With the rows and columns at the end that no window reached.
        let height = forInput ? input.height + 2 * padding - kernel + 1 : output.height
        let width = forInput ? input.width + 2 * padding - kernel + 1 : output.width
        let row = (width + 2 * border) * channels
        map = vgg_map(
            height: output.height, width: output.width, channels: channels, row: stride * row,
            pixel: stride * channels)
        interior = border * row + border * channels
        count = (height + 2 * border) * row + slack
        backward = vgg_convolution(
            in_channels: channels, out_channels: input.channels, kernel: kernel, stride: 1,
            out_height: input.height, out_width: input.width, x_row: row, y_row: input.plain.rowStride,
            y_pixel: input.channels)
        backwardOffset = offset * row + offset * channels
    }
}
