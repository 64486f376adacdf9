import CVGGKernels
import VGGModel

/// How an activation lies in memory: for each image its rows, pixels and channels (NHWC), with the zero
/// border that the convolution reading it pads with. A vector is a map of one pixel.
struct ActivationLayout: Hashable, Sendable {
    var channels: Int
    var height: Int
    var width: Int
    var border: Int

    init(_ shape: Shape, border: Int = 0) {
        switch shape {
        case .map(let channels, let height, let width):
            (self.channels, self.height, self.width) = (channels, height, width)
        case .vector(let features):
            (channels, height, width) = (features, 1, 1)
        }
        self.border = border
    }

    /// Floats of one image without the border.
    var count: Int { channels * height * width }
    /// Floats from one row to the next.
    var rowStride: Int { (width + 2 * border) * channels }
    /// Floats from one image to the next.
    var imageStride: Int { (rowStride * (height + 2 * border)).roundedUp(to: 16) }
    /// Floats from the start of an image to its first pixel inside the border.
    var interior: Int { border * rowStride + border * channels }

    /// The map inside the border, for kernels.
    var map: vgg_map {
        vgg_map(height: height, width: width, channels: channels, row: rowStride, pixel: channels)
    }

    /// The same map without a border: how gradients lie in memory, images `count` floats apart.
    var plain: ActivationLayout {
        var layout = self
        layout.border = 0
        return layout
    }

    func zeroBorder(_ image: UnsafeMutablePointer<Float>) {
        if border > 0 { vgg_zero_border(image, height, width, channels, border) }
    }
}
