import CVGGKernels
import VGGEngine
import VGGModel

/// Borders that mirror the map about its outermost pixels, which are not repeated.
extension ActivationLayout {
    /// Fills an image's border.
    func reflectBorder(_ image: Memory) {
        let (pixel, row) = (channels * element.size, rowStride * element.size)
        func mirror(_ start: Memory, _ extent: Int, by size: Int) {
            for n in 0..<border {
                (start + (border - 1 - n) * size).copyMemory(
                    from: start + (border + 1 + n) * size, byteCount: size)
                (start + (border + extent + n) * size).copyMemory(
                    from: start + (border + extent - 2 - n) * size, byteCount: size)
            }
        }
        for y in border..<border + height { mirror(image + y * row, width, by: pixel) }
        mirror(image, height, by: row)
    }

    /// The gradient of the map from that of the map with its border, whose pixels are those that they mirror.
    /// - Parameters:
    ///   - rows: of the map with its border; with those of a border are the ones that they mirror.
    ///   - gradient: of those rows.
    ///   - target: of the whole map.
    func fold(_ rows: Range<Int>, of gradient: Floats, to target: Floats, _ kernels: vgg_kernels) {
        let inside = border..<border + height
        func add(_ place: Int, to y: Int, isFirst: Bool) {
            let from = gradient + (place - rows.lowerBound) * rowStride
            let to = target + y * plain.rowStride
            if isFirst {
                to.update(from: from + border * channels, count: plain.rowStride)
            } else {
                kernels.add(from + border * channels, to, plain.rowStride)
            }
            for n in 0..<border {
                kernels.add(from + (border - 1 - n) * channels, to + (1 + n) * channels, channels)
                kernels.add(from + (border + width + n) * channels, to + (width - 2 - n) * channels, channels)
            }
        }
        for place in rows where inside.contains(place) { add(place, to: place - border, isFirst: true) }
        for place in rows where !inside.contains(place) {
            let y = place - border
            add(place, to: y < 0 ? -y : 2 * (height - 1) - y, isFirst: false)
        }
    }
}

extension CPUPlan {
    /// Fills the border of an activation where the step that reads it wants it reflected.
    func reflectBorder(of index: Int, count: Int) {
        guard index < layout.steps.count,
            case .convolution(let convolution, _, _, _) = layout.steps[index].operation,
            convolution.borders == .reflect
        else { return }
        let map = layout.steps[index].input
        context.workers.run(count) { image, _ in
            map.reflectBorder(activation(index) + image * map.imageStride * map.element.size)
        }
    }
}
