import CVGGKernels
import VGGEngine
import VGGModel

/// What is made of the channels of a kept layer, where it lies: pixel by pixel, each with its channels, which is what a
/// product of matrices reads best.
extension CPUPlan {
    func gram(of step: Int, channels: Int, count: Int) -> [Float] {
        let map = layout.steps[step].output
        precondition(map.channels == channels, "a matrix has a row a channel")
        let size = channels * channels
        let tasks = GramTasks(map)
        let sums = [Float](unsafeUninitializedCapacity: count * tasks.parts * size) { sums, initialized in
            guard let sums = sums.baseAddress else { return }
            context.workers.run(count * tasks.count) { task, _ in
                let (image, own) = task.quotientAndRemainder(dividingBy: tasks.count)
                let (part, rows) = tasks[own]
                addProducts(
                    of: tasks.pixels(of: part), map,
                    image: activation(step + 1) + image * map.imageStride * map.element.size,
                    panels: rows, to: sums + (image * tasks.parts + part) * size)
            }
            initialized = count * tasks.parts * size
        }
        return added(sums, images: count, parts: tasks.parts, channels: channels)
    }

    /// Of each image the sum of its parts' matrices, in their order, whoever made them.
    /// - Parameter sums: [images, parts, channels, channels], right where the column is not behind the row.
    private func added(_ sums: [Float], images: Int, parts: Int, channels: Int) -> [Float] {
        let size = channels * channels
        return [Float](unsafeUninitializedCapacity: images * size) { gram, initialized in
            guard let gram = gram.baseAddress else { return }
            sums.withUnsafeBufferPointer { sums in
                context.workers.run(over: images * channels, grain: 1) { lines, _ in
                    for line in lines {
                        let (image, row) = line.quotientAndRemainder(dividingBy: channels)
                        var total = [Double](repeating: 0, count: row + 1)
                        for part in 0..<parts {
                            let first = (image * parts + part) * size + row * channels
                            for column in 0...row { total[column] += Double(sums[first + column]) }
                        }
                        for column in 0...row {
                            gram[image * size + row * channels + column] = Float(total[column])
                            gram[image * size + column * channels + row] = Float(total[column])
                        }
                    }
                }
            }
            initialized = images * size
        }
    }

    /// The products of the channels of some panels with all that are not behind them, summed over some pixels of an image.
    private func addProducts(
        of pixels: Range<Int>, _ map: ActivationLayout, image: Memory, panels: Range<Int>, to sums: Floats
    ) {
        let channels = map.channels
        let stride = GramTasks.pixels * panel
        withUnsafeTemporaryAllocation(of: SIMD16<Float>.self, capacity: panels.upperBound * GramTasks.pixels)
        {
            guard let packed = $0.baseAddress else { return }
            let factors = UnsafeMutableRawPointer(packed).assumingMemoryBound(to: Float.self)
            for first in Swift.stride(from: pixels.lowerBound, to: pixels.upperBound, by: GramTasks.pixels) {
                let count = min(GramTasks.pixels, pixels.upperBound - first)
                // In panels, which both sides of the product read in a row. Behind a pixel's last channel comes what is not
                // looked at.
                for place in 0..<count {
                    let (y, x) = (first + place).quotientAndRemainder(dividingBy: map.width)
                    let pixel = map.interior + y * map.rowStride + x * channels
                    for number in 0..<panels.upperBound {
                        packed[number * GramTasks.pixels + place] = map.element.sixteen(
                            image, from: pixel + number * panel)
                    }
                }
                for own in panels {
                    var product = vgg_product()
                    (product.a, product.a_row, product.a_inner) = (
                        UnsafePointer(factors + own * stride), 1, panel
                    )
                    (product.b, product.b_panel, product.b_inner) = (UnsafePointer(factors), stride, panel)
                    product.c = sums + own * panel * channels
                    (product.c_row, product.c_panel) = (channels, panel)
                    product.rows = min(panel, channels - own * panel)
                    product.columns = own * panel + product.rows
                    (product.outer, product.inner) = (1, count)
                    product.accumulate = first == pixels.lowerBound ? 0 : 1
                    context.kernels.product(&product)
                }
            }
        }
    }

    func writeGradient(
        multiplying matrices: [Float], of step: Int, channels: Int, count: Int, adding: Bool
    ) {
        let map = layout.steps[step].output
        precondition(map.channels == channels, "a matrix has a row a channel")
        let packed = inPanels(matrices, channels: channels, count: count)
        packed.withUnsafeBufferPointer { packed in
            guard let packed = packed.baseAddress else { return }
            eachRow(of: map.plain, count: count) { image, y, row in
                let own = image * map.imageStride + map.interior + y * map.rowStride
                let memory = activation(step + 1) + own * map.element.size
                let target = image * map.gradientStride + y * map.plain.rowStride
                func multiply(_ x: Floats, to c: Floats, adding: Bool) {
                    var product = vgg_product()
                    (product.a, product.a_row, product.a_inner) = (UnsafePointer(x), channels, 1)
                    product.b = packed + image * channels.panels * channels * panel
                    (product.b_panel, product.b_inner) = (channels * panel, panel)
                    (product.c, product.c_row, product.c_panel) = (c, channels, panel)
                    (product.rows, product.columns) = (map.width, channels)
                    (product.outer, product.inner, product.accumulate) = (1, channels, adding ? 1 : 0)
                    context.kernels.product(&product)
                }
                switch map.element {
                case .float32:
                    multiply(
                        memory.assumingMemoryBound(to: Float.self),
                        to: gradient(step + 1).assumingMemoryBound(to: Float.self) + target, adding: adding)
                case .bfloat16:
                    map.element.load(memory, to: row, count: map.plain.rowStride, context.mixedKernels)
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: map.plain.rowStride) { made in
                        guard let made = made.baseAddress else { return }
                        multiply(row, to: made, adding: false)
                        write(made, toGradientOf: step, image: image, y: y, adding: adding)
                    }
                }
            }
        }
    }

    /// Matrices as a product reads them: panels of 16 columns.
    private func inPanels(_ matrices: [Float], channels: Int, count: Int) -> [Float] {
        let total = count * channels.panels * channels * panel
        return [Float](unsafeUninitializedCapacity: total + slack) { packed, initialized in
            guard let packed = packed.baseAddress else { return }
            matrices.withUnsafeBufferPointer { matrices in
                guard let matrices = matrices.baseAddress else { return }
                context.workers.run(count * channels.panels) { task, _ in
                    let (image, own) = task.quotientAndRemainder(dividingBy: channels.panels)
                    let columns = min(panel, channels - own * panel)
                    for row in 0..<channels {
                        let target = packed + (task * channels + row) * panel
                        target.update(
                            from: matrices + (image * channels + row) * channels + own * panel, count: columns
                        )
                        (target + columns).update(repeating: 0, count: panel - columns)
                    }
                }
            }
            (packed + total).update(repeating: 0, count: slack)
            initialized = total + slack
        }
    }
}

/// How the products of a map's channels are dealt out: the pixels in parts, whose sums are added in order, so that the sum
/// follows from the map alone; and for each part the panels of channels in groups.
private struct GramTasks {
    /// So many at a time, whose panels the nearest cache holds.
    static let pixels = 128
    /// Panels of a group.
    private static let most = 8

    private let panels, size: Int
    let parts: Int

    init(_ map: ActivationLayout) {
        panels = map.channels.panels
        size = map.height * map.width
        // Of so many pixels that their products are far more than the sums they are added to.
        parts = min(16, max(1, size / (2 * map.channels)))
    }

    private var groups: Int { (panels + Self.most - 1) / Self.most }
    var count: Int { parts * groups }

    /// Those with the most products first.
    subscript(task: Int) -> (part: Int, panels: Range<Int>) {
        let (group, part) = task.quotientAndRemainder(dividingBy: parts)
        let first = (groups - 1 - group) * Self.most
        return (part, first..<min(panels, first + Self.most))
    }

    func pixels(of part: Int) -> Range<Int> {
        size * part / parts..<size * (part + 1) / parts
    }
}
