import CVGGKernels
import VGGEngine

extension Element {
    /// Stores floats in this format.
    func store(_ floats: UnsafePointer<Float>, to memory: Memory, count: Int, _ kernels: vgg_bf16_kernels) {
        switch self {
        case .float32: memory.assumingMemoryBound(to: Float.self).update(from: floats, count: count)
        case .bfloat16: kernels.bf16_from_float(floats, memory.assumingMemoryBound(to: UInt16.self), count)
        }
    }

    /// Sixteen numbers from number `place` on.
    @inline(__always)
    func sixteen(_ memory: UnsafeRawPointer, from place: Int) -> SIMD16<Float> {
        switch self {
        case .float32: return memory.loadUnaligned(fromByteOffset: 4 * place, as: SIMD16<Float>.self)
        case .bfloat16:
            let halves = memory.loadUnaligned(fromByteOffset: 2 * place, as: SIMD16<UInt16>.self)
            return unsafeBitCast(
                SIMD16<UInt32>(truncatingIfNeeded: halves) &<< 16, to: SIMD16<Float>.self)
        }
    }

    /// Loads numbers of this format as floats.
    func load(_ memory: UnsafeRawPointer, to floats: Floats, count: Int, _ kernels: vgg_bf16_kernels) {
        switch self {
        case .float32: floats.update(from: memory.assumingMemoryBound(to: Float.self), count: count)
        case .bfloat16: kernels.bf16_to_float(memory.assumingMemoryBound(to: UInt16.self), floats, count)
        }
    }
}

/// How an activation lies in memory: for each image its rows, pixels and channels (NHWC), with the zero
/// border that the convolution reading it pads with. A vector is a map of one pixel.
struct ActivationLayout: Hashable, Sendable {
    var channels: Int
    var height: Int
    var width: Int
    var border: Int
    var element: Element

    init(_ activation: Activation, border: Int) {
        (channels, height, width) = (activation.channels, activation.height, activation.width)
        element = activation.element
        self.border = border
    }

    /// Numbers of one image without the border.
    var count: Int { channels * height * width }
    /// Numbers from one row to the next.
    var rowStride: Int { (width + 2 * border) * channels }
    /// Numbers from one image to the next.
    var imageStride: Int { spread((rowStride * (height + 2 * border)).roundedUp(to: 32)) }
    /// Numbers from the start of an image to its first pixel inside the border.
    var interior: Int { border * rowStride + border * channels }

    /// Numbers from one image to the next in the gradient; in single precision images lie side by side.
    var gradientStride: Int { element == .bfloat16 ? spread(count) : count }

    /// Images that lie a multiple of 1024 bytes apart would share a few sets of the first-level cache, and the
    /// tiles of linear layers read many of them at once: a cache line sets them apart.
    private func spread(_ stride: Int) -> Int {
        stride * element.size % 1024 == 0 ? stride + 64 / element.size : stride
    }

    /// The map inside the border, for kernels.
    var map: vgg_map {
        vgg_map(height: height, width: width, channels: channels, row: rowStride, pixel: channels)
    }

    /// The same map without a border: how gradients lie in memory, images `gradientStride`
    /// numbers apart.
    var plain: ActivationLayout {
        var layout = self
        layout.border = 0
        return layout
    }

    /// An image's numbers as floats, border and all: where they lie, or a copy of them.
    @discardableResult
    func floats(of image: Memory, copy: Floats, _ kernels: vgg_bf16_kernels) -> Floats {
        guard element != .float32 else { return image.assumingMemoryBound(to: Float.self) }
        element.load(image, to: copy, count: imageStride, kernels)
        return copy
    }

    /// Writes an image inside its border, where it lies or by way of a plain copy.
    /// - Parameter make: makes it of floats; `row` is from one of its rows to the next.
    func write(
        to image: Memory, copy: Floats, _ kernels: vgg_bf16_kernels,
        make: (_ made: Floats, _ row: Int) -> Void
    ) {
        let target = image + interior * element.size
        guard element != .float32 else { return make(target.assumingMemoryBound(to: Float.self), rowStride) }
        let row = plain.rowStride
        make(copy, row)
        for line in 0..<height {
            element.store(
                copy + line * row, to: target + line * rowStride * element.size, count: row, kernels)
        }
    }

    func zeroBorder(_ image: Memory) {
        if border > 0 { vgg_zero_border(image, height, width, channels * element.size, border) }
    }
}
