import CVGGKernels
import VGGEngine
import VGGModel

/// How the gradient of one image's convolution output lies in scratch memory. For the gradient of the input
/// it is read by a convolution with stride 1 and flipped weights, and so needs a zero border, and zeros
/// between its pixels where the stride is more than 1 (Dumoulin & Visin 2016, section 4).
struct GradientMap {
    let map: vgg_map
    /// Pixels of the border, and of it those before the first that the convolution reads.
    let border, offset: Int
    /// Numbers from the start of the scratch memory to the first pixel.
    let interior: Int
    /// Numbers of scratch memory.
    let count: Int
    /// The convolution that makes the input's gradient, and where it starts to read.
    let backward: vgg_convolution
    let backwardOffset: Int

    init(_ convolution: Convolution, output: ActivationLayout, input: ActivationLayout, forInput: Bool) {
        let channels = output.channels
        let (kernel, padding) = (convolution.kernel, convolution.padding)
        let stride = forInput ? convolution.stride : 1
        border = forInput ? max(kernel - 1 - padding, 0) : 0
        offset = max(padding - kernel + 1, 0)
        // With the rows and columns at the end that no window reached.
        let height = forInput ? input.height + 2 * padding - kernel + 1 : output.height
        let width = forInput ? input.width + 2 * padding - kernel + 1 : output.width
        let row = (width + 2 * border) * channels
        map = vgg_map(
            height: output.height, width: output.width, channels: channels, row: stride * row,
            pixel: stride * channels)
        interior = border * row + border * channels
        count = (height + 2 * border) * row
        backward = vgg_convolution(
            in_channels: channels, out_channels: input.channels, kernel: kernel, stride: 1,
            out_height: input.height, out_width: input.width, x_row: row, y_row: input.plain.rowStride,
            y_pixel: input.channels)
        backwardOffset = offset * row + offset * channels
    }
}
