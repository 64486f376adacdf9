import CVGGKernels
import VGGEngine
import VGGModel

/// Maps on their way between PyTorch's order, [count, channels, height, width], and the plan's. There may be a single
/// large image: the rows of all images are shared out among the threads.
extension CPUPlan {
    func write(_ images: ImageBatch) {
        let input = layout.steps[0].input
        let (width, channels) = (input.width, input.channels)
        if input.border > 0 {
            context.workers.run(images.count) { image, _ in
                input.zeroBorder(activation(0) + image * input.imageStride * input.element.size)
            }
        }
        images.values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            eachRow(of: input, count: images.count) { image, y, row in
                let first = values + image * input.count + y * width
                for channel in 0..<channels where channels > 1 {
                    let plane = first + channel * input.height * width
                    for x in 0..<width { row[x * channels + channel] = plane[x] }
                }
                let place = image * input.imageStride + input.interior + y * input.rowStride
                input.element.store(
                    channels > 1 ? UnsafePointer(row) : first,
                    to: activation(0) + place * input.element.size, count: width * channels,
                    context.mixedKernels)
            }
        }
        reflectBorder(of: 0, count: images.count)
    }

    func writeGradient(_ numbers: [Float], of step: Int, count: Int, adding: Bool) {
        let output = layout.steps[step].output
        let (channels, pixels) = (output.channels, output.height * output.width)
        numbers.withUnsafeBufferPointer { numbers in
            guard let numbers = numbers.baseAddress else { return }
            eachRow(of: output, count: count) { image, y, row in
                context.kernels.transpose(
                    numbers + image * channels * pixels + y * output.width, pixels, channels, output.width,
                    row, channels, channels)
                write(row, toGradientOf: step, image: image, y: y, adding: adding)
            }
        }
    }

    /// A row of a gradient, in its number format.
    func write(_ row: Floats, toGradientOf step: Int, image: Int, y: Int, adding: Bool) {
        let output = layout.steps[step].output
        let count = output.plain.rowStride
        let target = gradient(step + 1) + (image * output.gradientStride + y * count) * output.element.size
        if adding {
            switch output.element {
            case .float32:
                return context.kernels.add(row, target.assumingMemoryBound(to: Float.self), count)
            case .bfloat16:
                withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { own in
                    guard let own = own.baseAddress else { return }
                    output.element.load(target, to: own, count: count, context.mixedKernels)
                    context.kernels.add(own, row, count)
                }
            }
        }
        output.element.store(row, to: target, count: count, context.mixedKernels)
    }

    func output(of step: Int, count: Int) -> [Float] {
        let output = layout.steps[step].output
        return numbers(activation(step + 1), output, stride: output.imageStride, count: count)
    }

    func gradient(of step: Int?, count: Int) -> [Float] {
        let map = step.map { layout.steps[$0].output } ?? layout.steps[0].input
        return numbers(
            gradient(step.map { $0 + 1 } ?? 0), map.plain, stride: map.gradientStride, count: count)
    }

    /// A batch in memory in PyTorch's order.
    /// - Parameter stride: numbers from one image to the next.
    private func numbers(_ memory: Memory, _ layout: ActivationLayout, stride: Int, count: Int) -> [Float] {
        let (channels, pixels) = (layout.channels, layout.height * layout.width)
        return [Float](unsafeUninitializedCapacity: count * layout.count) { values, initialized in
            guard let values = values.baseAddress else { return }
            eachRow(of: layout, count: count) { image, y, row in
                let start = image * stride + layout.interior + y * layout.rowStride
                layout.element.load(
                    memory + start * layout.element.size, to: row, count: layout.plain.rowStride,
                    context.mixedKernels)
                context.kernels.transpose(
                    row, channels, layout.width, channels,
                    values + image * layout.count + y * layout.width, pixels, layout.width)
            }
            initialized = count * layout.count
        }
    }

    /// Calls `body` for each row of each image, with memory for a row.
    func eachRow(
        of map: ActivationLayout, count: Int, _ body: (_ image: Int, _ y: Int, _ row: Floats) -> Void
    ) {
        context.workers.run(over: count * map.height, grain: 1) { rows, _ in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: map.width * map.channels) { row in
                guard let row = row.baseAddress else { return }
                for place in rows {
                    let (image, y) = place.quotientAndRemainder(dividingBy: map.height)
                    body(image, y, row)
                }
            }
        }
    }
}
