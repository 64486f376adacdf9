import CVGGKernels
import VGGEngine
import VGGModel

/// Convolutions of small maps, in single precision: the whole batch is transformed, multiplied and transformed back. Maps of
/// 16 bits are converted on their way in and out: a few pixels cost little beside what products of few rows of them cost.
extension ConvolutionStep {
    /// Images, channels and rows of weights at a time, so that what a product reads stays in the caches.
    private static var imageBlock: Int { 160 }
    private static var channelBlock: Int { 256 }
    private static var rowBlock: Int { 60 }

    func forwardOfSmallMap(
        _ pass: Pass, _ small: SmallMap, x: Memory, y: Memory, _ output: ActivationLayout
    ) {
        let weights = floats(weights(for: .smallMap))
        let (input, count) = (planned.input, pass.count)
        let outputStride = stride(output)
        let tasks = small.tasks(count, threads: context.workers.threads)
        let matrices: Floats = shared(scratch.small.inputs)
        let products: Floats = shared(scratch.small.outputs)
        context.workers.run(tasks.images) { images, _ in
            var map = small.kernelMap
            for image in images {
                context.kernels.small_map_inputs(
                    &map, single(x, image: image) + input.interior,
                    matrices + image * small.inputRow, small.inputMatrix(count))
            }
        }
        context.workers.run(tasks.forward) { matrix, panels, _ in
            // Of even size, so that no block is a sliver.
            let blocks = (count + Self.imageBlock - 1) / Self.imageBlock
            for block in 0..<blocks {
                let first = count * block / blocks
                for start in Swift.stride(from: 0, to: small.inputs, by: Self.channelBlock) {
                    var product = vgg_product()
                    product.a = UnsafePointer(
                        matrices + matrix * small.inputMatrix(count) + first * small.inputRow + start)
                    product.a_row = small.inputRow
                    product.a_inner = 1
                    product.b = UnsafePointer(
                        weights + panels.lowerBound * small.weightPanel + matrix * small.weightMatrix
                            + start * panel)
                    product.b_panel = small.weightPanel
                    product.b_inner = panel
                    product.c =
                        products + matrix * small.outputMatrix(count) + first * small.outputRow
                        + panels.lowerBound * panel
                    product.c_row = small.outputRow
                    product.c_panel = panel
                    product.rows = count * (block + 1) / blocks - first
                    product.columns = panels.count * panel
                    product.outer = 1
                    product.inner = min(Self.channelBlock, small.inputs - start)
                    product.accumulate = start > 0 ? 1 : 0
                    context.kernels.product(&product)
                }
            }
        }
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = pass.isTraining && pool ? winners.baseAddress : nil
            context.workers.run(tasks.images) { images, worker in
                for image in images {
                    let to = y + image * outputStride * output.element.size
                    output.zeroBorder(to)
                    write(output, to: to, worker: worker) { made, row in
                        var map = small.kernelMap
                        map.y_row = row
                        context.kernels.small_map_outputs(
                            &map, products + image * small.outputRow, small.outputMatrix(count),
                            parameters.values[1], made, winners.map { $0 + image * output.count },
                            pool ? 1 : 0, relu ? 1 : 0)
                    }
                }
            }
        }
    }

    /// The batch's inputs as the kernels read them: a copy, where memory has another format.
    private func singles(_ x: Memory) -> Floats {
        planned.input.element == .float32
            ? x.assumingMemoryBound(to: Float.self) : shared(scratch.small.copies)
    }

    /// An image of them; where memory has another format, its part of the copy is made.
    @discardableResult
    private func single(_ x: Memory, image: Int) -> Floats {
        let (layout, start) = (planned.input, image * planned.input.imageStride)
        return layout.floats(
            of: x + start * layout.element.size, copy: shared(scratch.small.copies) + start,
            context.mixedKernels)
    }

    /// Writes an image's map, where it lies or by way of a worker's scratch memory.
    private func write(
        _ layout: ActivationLayout, to image: Memory, worker: Int, make: (_ made: Floats, _ row: Int) -> Void
    ) {
        layout.write(
            to: image, copy: self.worker(worker, scratch.single), context.mixedKernels, make: make)
    }

    /// Whether what is behind the convolution makes its output's gradient another than the step's.
    private var changesGradient: Bool { relu || pool || normalization != nil }

    func backwardOfSmallMap(_ pass: Pass, _ small: SmallMap, of batch: Batch) {
        let count = pass.count
        let tasks = small.tasks(count, threads: context.workers.threads)
        let isMade = changesGradient || planned.output.element != .float32
        let dense: Floats =
            isMade ? shared(scratch.small.dense) : batch.gradient.assumingMemoryBound(to: Float.self)
        let inputGradient = choice.inputGradient == .smallMap ? batch.inputGradient : nil
        context.workers.run(tasks.squares) { images, worker in
            for image in images {
                if isMade { expand(image, of: batch, to: dense + image * full.count, worker: worker) }
                if choice.weightGradient != nil { single(batch.x, image: image) }
            }
            if inputGradient != nil {
                transposeGradients(images, of: dense, small, count: count, worker: worker)
            }
        }
        if choice.weightGradient != nil { makeWeightGradient(pass, small, tasks, singles(batch.x), dense) }
        if let inputGradient { makeInputGradient(small, tasks, count: count, to: inputGradient) }
    }

    /// An image's gradient before ReLU and pool, plain and in single precision.
    private func expand(_ image: Int, of batch: Batch, to dense: Floats, worker: Int) {
        let made: Numbers =
            Self.isMixed
            ? self.worker(worker, scratch.maps) : Memory(dense).assumingMemoryBound(to: Number.self)
        expand(image, of: batch, to: made, full.plain.map, worker: worker)
        if Self.isMixed { Number.element.load(made, to: dense, count: full.count, context.mixedKernels) }
    }

    /// The matrices of outputs' gradients, transposed, of whole squares of images.
    private func transposeGradients(
        _ images: Range<Int>, of dense: Floats, _ small: SmallMap, count: Int, worker: Int
    ) {
        let gradients: Floats = self.worker(worker, scratch.kernel)
        let transposed: Floats = shared(scratch.small.transposed)
        let squares = (count + panel - 1) / panel
        var map = small.kernelMap
        let matrix = small.outputMatrix(panel)
        for first in Swift.stride(from: images.lowerBound, to: images.upperBound, by: panel) {
            let rows = min(panel, count - first)
            for row in 0..<rows {
                context.kernels.small_map_gradients(
                    &map, dense + (first + row) * full.count, gradients + row * small.outputRow, matrix
                )
            }
            for product in 0..<small.products {
                context.kernels.transpose(
                    gradients + product * matrix, small.outputRow, rows, small.paddedOutputs,
                    transposed + (product * squares + first / panel) * small.paddedOutputs * panel, panel,
                    panel)
            }
        }
    }

    private func makeWeightGradient(
        _ pass: Pass, _ small: SmallMap, _ tasks: SmallMap.Tasks, _ x: Floats, _ dense: Floats
    ) {
        let input = planned.input
        let leaves = pass.node.cut(to: choice.leaves).leaves
        let kernelLeaves = leaves.map(\.kernelLeaf)
        let block = Int(VGG_SMALL_MAP_PANELS)
        context.workers.run(tasks.weightGradient) { place, inputs, worker in
            var map = small.kernelMap
            let first = place * block
            context.kernels.small_map_weight_gradient(
                &map, input.imageStride, x + input.interior, dense, kernelLeaves, kernelLeaves.count,
                self.worker(worker, scratch.kernel),
                parameters.gradients[0], first, min(first + block, small.outputs.panels), inputs.lowerBound,
                inputs.upperBound)
        }
        // A pixel is a row.
        let rows = leaves.map { leaf in
            vgg_leaf(rows: leaf.count * full.height * full.width, additions: leaf.additions)
        }
        context.workers.run(over: small.outputs, grain: 64) { channels, _ in
            context.kernels.sum_tree(
                dense + channels.lowerBound, small.outputs, rows, rows.count,
                parameters.gradients[1] + channels.lowerBound, channels.count)
        }
    }

    private func makeInputGradient(_ small: SmallMap, _ tasks: SmallMap.Tasks, count: Int, to target: Memory)
    {
        let weights = floats(weights(for: .smallMap))
        let matrices: Floats = shared(scratch.small.inputs)
        let products: Floats = shared(scratch.small.outputs)
        let transposed: Floats = shared(scratch.small.transposed)
        let columns = count.roundedUp(to: panel)
        let plain = planned.input.plain
        let stride = planned.input.gradientStride * plain.element.size
        context.workers.run(tasks.inputGradient) { matrix, rows, _ in
            for row in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: Self.rowBlock) {
                for start in Swift.stride(from: 0, to: small.paddedOutputs, by: Self.channelBlock) {
                    var product = vgg_product()
                    product.a = UnsafePointer(
                        weights + start / panel * small.weightPanel + matrix * small.weightMatrix
                            + row * panel)
                    product.a_row = panel
                    product.a_outer = small.weightPanel
                    product.a_inner = 1
                    product.b = UnsafePointer(
                        transposed + matrix * columns * small.paddedOutputs + start * panel)
                    product.b_panel = small.paddedOutputs * panel
                    product.b_outer = panel * panel
                    product.b_inner = panel
                    product.c = products + (matrix * small.inputs + row) * columns
                    product.c_row = columns
                    product.c_panel = panel
                    product.rows = min(Self.rowBlock, rows.upperBound - row)
                    product.columns = columns
                    product.outer = min(Self.channelBlock, small.paddedOutputs - start) / panel
                    product.inner = panel
                    product.accumulate = start > 0 ? 1 : 0
                    context.kernels.product(&product)
                }
            }
        }
        context.workers.run(tasks.squares) { images, worker in
            var map = small.kernelMap
            for matrix in 0..<small.products {
                context.kernels.transpose(
                    products + matrix * small.inputs * columns + images.lowerBound, columns, small.inputs,
                    images.count,
                    matrices + matrix * small.inputMatrix(count) + images.lowerBound * small.inputRow,
                    small.inputRow, small.inputs)
            }
            for image in images {
                write(plain, to: target + image * stride, worker: worker) { made, _ in
                    context.kernels.small_map_input_gradients(
                        &map, matrices + image * small.inputRow, small.inputMatrix(count), made)
                }
            }
        }
    }
}
