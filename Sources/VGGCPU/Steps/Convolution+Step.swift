import CVGGKernels
import VGGEngine
import VGGModel

/// How a convolution is computed.
enum ConvolutionAlgorithm: Hashable, Sendable {
    /// By its definition.
    case direct
    /// Winograd's F(4×4, 3×3): a quarter of the multiplications (Lavin & Gray 2016).
    case winograd
}

extension Convolution {
    var forwardAlgorithm: ConvolutionAlgorithm { algorithm(reading: inChannels) }

    /// Of the gradient of the input, which is a convolution of the output's.
    var backwardAlgorithm: ConvolutionAlgorithm { algorithm(reading: outChannels) }

    /// Of the gradient of the weights.
    var gradientAlgorithm: ConvolutionAlgorithm { algorithm(reading: min(inChannels, outChannels)) }

    /// Whether there are kernels of mixed precision for the gradients under a fused pool, three quarters of
    /// which are zero, from the pooled gradient and its winners.
    func skipsZeros(pool: Bool) -> Bool { pool && kernel == 3 && stride == 1 && padding == 1 }

    /// Whether the weight gradient in single precision is made from a fused pool's own gradient and its winners.
    func readsPooledGradient(pool: Bool) -> Bool { pool && kernel == 3 && stride == 1 }

    /// Few channels make the transforms dearer than the multiplications they save.
    private func algorithm(reading channels: Int) -> ConvolutionAlgorithm {
        kernel == 3 && stride == 1 && channels >= panel ? .winograd : .direct
    }

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
    /// Whether inference in mixed precision multiplies in Winograd's F(2×2, 3×3). Training's forward pass does
    /// not: what it rounds, the backward pass has to answer for.
    func infersByWinograd(_ convolution: Convolution) -> Bool {
        convolution.kernel == 3 && convolution.stride == 1 && convolution.inChannels >= 2 * panel
            && input.element == .bfloat16
    }

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
