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

    /// Whose gradient the backward pass makes: of a map with reflected borders these are a part, and folded back afterwards.
    func gradientInput(_ input: ActivationLayout) -> (convolution: Convolution, input: ActivationLayout) {
        guard borders == .reflect else { return (self, input) }
        var (own, whole) = (self, input.plain)
        own.padding = 0
        (whole.height, whole.width) = (input.height + 2 * padding, input.width + 2 * padding)
        return (own, whole)
    }

    /// The geometry for kernels, whose output map is plain unless changed.
    func shape(_ output: ActivationLayout, x: ActivationLayout) -> vgg_convolution {
        vgg_convolution(
            in_channels: inChannels, out_channels: outChannels, kernel: kernel, stride: stride,
            out_height: output.height, out_width: output.width, x_row: x.rowStride,
            y_row: output.plain.rowStride, y_pixel: output.channels)
    }
}

extension Int {
    /// How many panels this many channels fill.
    var panels: Int { (self + panel - 1) / panel }
}
