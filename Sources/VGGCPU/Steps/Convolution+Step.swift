import CVGGKernels
import VGGEngine
import VGGModel

extension Convolution {
    /// The map the convolution of a step makes, before a fused pool.
    func output(of planned: LaidOutStep) -> ActivationLayout {
        var output = planned.output
        output.height = (planned.input.height + 2 * padding - kernel) / stride + 1
        output.width = (planned.input.width + 2 * padding - kernel) / stride + 1
        return output
    }

    /// The geometry for kernels, whose output map is plain unless changed.
    func shape(_ output: ActivationLayout, x: ActivationLayout) -> vgg_convolution {
        vgg_convolution(
            in_channels: inChannels, out_channels: outChannels, kernel: kernel, stride: stride,
            out_height: output.height, out_width: output.width, x_row: x.rowStride,
            y_row: output.plain.rowStride, y_pixel: output.channels)
    }
}

extension LaidOutStep {
    /// Floats of one shard's gradients of weights and bias.
    var shardStride: Int { parameterLayouts.map(\.count).reduce(0, +) }

    /// Adds the shards' sums of weights and bias in order, to the step's gradients.
    func addShards(_ sums: Floats, _ shards: Int, to parameters: BoundParameters, _ context: StepContext) {
        var offset = 0
        for (layout, total) in zip(parameterLayouts, parameters.gradients) {
            context.workers.run(over: layout.count, grain: 4096) { range, _ in
                context.kernels.sum_shards(
                    sums + offset + range.lowerBound, shards, shardStride, total + range.lowerBound,
                    range.count)
            }
            offset += layout.count
        }
    }
}

extension Int {
    /// How many panels this many channels fill.
    var panels: Int { (self + panel - 1) / panel }
}
