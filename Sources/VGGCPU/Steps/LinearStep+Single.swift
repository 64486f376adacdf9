import CVGGKernels
import VGGEngine
import VGGModel

/// In single precision: three products. The weights are walked once forward, once for the input's gradient and once for
/// their own; it is the activations that are transposed to suit them.
extension LinearStep {
    /// Inputs at a time, so that weights and activations of a tile stay in the caches.
    private static var inputBlock: Int { 512 }
    /// Inputs at a time in the gradient of the weights, whose tile is made, used and forgotten.
    private static var gradientBlock: Int { 1024 }
    /// Inputs at a time in the gradient of the input, whose sums stay in the first-level cache.
    private static var rowBlock: Int { 56 }
    /// Panels of outputs at a time in the gradient of the input, for the same reason.
    private static var panelBlock: Int { 32 }

    /// Bytes of a worker: in single precision one pair of panels of the output's gradient, packed, and a tile of that of the
    /// weights.
    static func workerScratch(training: Bool, batchSize: Int) -> Int {
        let float = MemoryLayout<Float>.stride
        guard isMixed else {
            return training ? (batchSize.roundedUp(to: panel) + gradientBlock) * 2 * panel * float : 0
        }
        var shape = vgg_linear()
        shape.rows = batchSize
        let forward = vgg_bf16_linear_forward_scratch(&shape)
        return (max(forward, training ? vgg_bf16_linear_backward_scratch(&shape) : 0) + slack) * float
    }

    /// Two panels of outputs from `column`, of some images.
    func multiply(_ images: Range<Int>, _ x: Numbers, to y: Memory, column: Int) {
        let x = floats(x) + images.lowerBound * planned.input.imageStride
        let y = y.assumingMemoryBound(to: Float.self) + images.lowerBound * planned.output.imageStride
        let (weights, bias) = (parameters.values[0], parameters.values[1])
        for start in stride(from: 0, to: inputs, by: Self.inputBlock) {
            let block = min(Self.inputBlock, inputs - start)
            var product = vgg_product()
            product.a = UnsafePointer(x + start)
            product.a_row = planned.input.imageStride
            product.a_inner = 1
            product.b = UnsafePointer(weights + column * inputs + start * panel)
            product.b_panel = inputs * panel
            product.b_inner = panel
            product.c = y + column
            product.c_row = planned.output.imageStride
            product.c_panel = panel
            product.bias = start == 0 ? UnsafePointer(bias + column) : nil
            product.rows = images.count
            product.columns = min(2 * panel, outputs - column)
            product.outer = 1
            product.inner = block
            product.accumulate = start > 0 ? 1 : 0
            product.relu = relu && start + block == inputs ? 1 : 0
            context.kernels.product(&product)
        }
    }

    func makeGradients(_ pass: Pass, _ x: Numbers, _ gradient: Numbers, to inputGradient: Numbers?) {
        let gradient = floats(gradient)
        let columns = pass.count.roundedUp(to: panel)
        let scratch = scratch(pass)
        if let inputGradient {
            let transposedInputGradient = floats(shared(scratch.transposedInputGradient))
            let transposedGradient = floats(shared(scratch.transposedGradient))
            transposeInPanels(gradient, rows: pass.count, to: transposedGradient)
            makeInputGradient(pass, transposedGradient, columns: columns, to: transposedInputGradient)
            transpose(
                transposedInputGradient, rowStride: columns, rows: inputs, columns: pass.count,
                to: floats(inputGradient), outRow: inputs)
        }
        guard planned.trainsParameters else { return }
        context.workers.run(over: outputs, grain: 256) { range, _ in
            context.kernels.sum(
                gradient + range.lowerBound, stride: outputs, pass.node.leaves,
                to: parameters.gradients[1] + range.lowerBound, count: range.count)
        }
        let transposedInput = floats(shared(scratch.transposedInput))
        transpose(
            floats(x), rowStride: planned.input.imageStride, rows: pass.count, columns: inputs,
            to: transposedInput)
        // Last, because it may update the weights.
        makeWeightGradient(pass, transposedInput, rowStride: columns, gradient)
    }

    /// `to`[column][row] = `from`[row][column], the rows of `to` filled up with zeros to whole panels.
    private func transpose(
        _ from: Floats, rowStride: Int, rows: Int, columns: Int, to: Floats, outRow: Int? = nil
    ) {
        let outRow = outRow ?? rows.roundedUp(to: panel)
        context.workers.run(over: columns, grain: 16) { range, _ in
            context.kernels.transpose(
                from + range.lowerBound, rowStride, rows, range.count, to + range.lowerBound * outRow, outRow,
                outRow)
        }
    }

    /// The outputs' gradients of 16 images at a time: `to`[row / 16][output][row % 16], outputs and rows filled up with
    /// zeros to whole panels. What a product reads for one output is then next to what it reads for the next.
    private func transposeInPanels(_ gradient: Floats, rows: Int, to: Floats) {
        let padded = panels * panel
        for (place, row) in stride(from: 0, to: rows, by: panel).enumerated() {
            let target = to + place * padded * panel
            transpose(
                gradient + row * outputs, rowStride: outputs, rows: min(panel, rows - row), columns: outputs,
                to: target)
            // The outputs that fill up the last panel: their weights are zero, but zero times NaN is not.
            (target + outputs * panel).update(repeating: 0, count: (padded - outputs) * panel)
        }
    }

    /// dW[in][out] = Σ over images of x[image][in] · dy[image][out], as a tree.
    ///
    /// These are nearly all of a VGG's gradients: where the pass may update the parameters, a tile of them is
    /// used as soon as it is made, and never stored.
    private func makeWeightGradient(
        _ pass: Pass, _ transposedInput: Floats, rowStride: Int, _ gradient: Floats
    ) {
        let update = parameters.update(in: pass)
        let leaves = pass.node.leaves.map(\.kernelLeaf)
        context.workers.run(tasks(pass).weightGradient) { pair, range, worker in
            let column = pair * 2 * panel
            let width = min(2 * panel, outputs - column)
            // Gathered from rows that are far apart, and read for every input.
            let packed = self.worker(worker)
            for image in 0..<pass.count {
                (packed + image * 2 * panel).update(from: gradient + image * outputs + column, count: width)
            }
            let tile = packed + pass.count * 2 * panel
            // The columns that fill up the last panel.
            if width < 2 * panel {
                tile.update(repeating: 0, count: Self.gradientBlock * 2 * panel)
            }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.gradientBlock) {
                let rows = min(Self.gradientBlock, range.upperBound - start)
                var product = vgg_product()
                product.a = UnsafePointer(transposedInput + start * rowStride)
                product.a_row = rowStride
                product.a_inner = 1
                product.b = UnsafePointer(packed)
                product.b_panel = panel
                product.b_inner = 2 * panel
                product.c = tile
                product.c_row = panel
                product.c_panel = Self.gradientBlock * panel
                product.rows = rows
                product.columns = width
                product.outer = 1
                leaves.withUnsafeBufferPointer { leaves in
                    (product.leaves, product.leaf_count) = (leaves.baseAddress, leaves.count)
                    context.kernels.product(&product)
                }
                for half in 0..<(width + panel - 1) / panel {
                    let offset = (column + half * panel) * inputs + start * panel
                    let gradients = tile + half * Self.gradientBlock * panel
                    if let update {
                        update.apply(
                            context.kernels, gradients: gradients, values: parameters.buffer,
                            offset: parameters.offsets[0] + offset, count: rows * panel)
                    } else {
                        (parameters.gradients[0] + offset).update(from: gradients, count: rows * panel)
                    }
                }
            }
        }
    }

    /// dxᵀ[in][image] = Σ over outputs of W[in][out] · dyᵀ[out][image].
    private func makeInputGradient(
        _ pass: Pass, _ transposedGradient: Floats, columns: Int, to target: Floats
    ) {
        let weights = parameters.values[0]
        context.workers.run(tasks(pass).inputGradient) { range, _ in
            for row in stride(from: range.lowerBound, to: range.upperBound, by: Self.rowBlock) {
                for start in stride(from: 0, to: panels, by: Self.panelBlock) {
                    var product = vgg_product()
                    product.a = UnsafePointer(weights + (start * inputs + row) * panel)
                    product.a_row = panel
                    product.a_outer = inputs * panel
                    product.a_inner = 1
                    product.b = UnsafePointer(transposedGradient + start * panel * panel)
                    product.b_panel = panels * panel * panel
                    product.b_outer = panel * panel
                    product.b_inner = panel
                    product.c = target + row * columns
                    product.c_row = columns
                    product.c_panel = panel
                    product.rows = min(Self.rowBlock, range.upperBound - row)
                    product.columns = columns
                    product.outer = min(Self.panelBlock, panels - start)
                    product.inner = panel
                    product.accumulate = start > 0 ? 1 : 0
                    context.kernels.product(&product)
                }
            }
        }
    }
}
