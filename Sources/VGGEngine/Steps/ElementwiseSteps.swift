import CVGGKernels
import VGGModel

extension PlannedStep {
    /// Calls `body(image, row, x row, y row)` for every row of every image, for steps that change elements
    /// but not their places.
    fileprivate func forEachRow(
        _ pass: Pass, _ workers: Workers, x: Floats, y: Floats,
        _ body: (_ image: Int, _ row: Int, _ x: Floats, _ y: Floats) -> Void
    ) {
        workers.run(pass.count) { image, _ in
            let target = y + image * output.imageStride
            output.zeroBorder(target)
            for row in 0..<input.height {
                body(
                    image, row, x + image * input.imageStride + input.interior + row * input.rowStride,
                    target + output.interior + row * output.rowStride)
            }
        }
    }

    /// Numbers in a row without its border.
    fileprivate var rowCount: Int { output.width * output.channels }
}

/// A ReLU that follows nothing it could be fused into.
final class ReLUStep: FloatStep {
    private let planned: PlannedStep
    private let context: StepContext

    init(_ planned: PlannedStep, _ context: StepContext) {
        self.planned = planned
        self.context = context
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        planned.forEachRow(pass, context.workers, x: x, y: y) { _, _, x, y in
            context.kernels.relu(x, y, planned.rowCount)
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        guard let inputGradient else { return }
        let output = planned.output
        var (map, plain) = (output.map, output.plain.map)
        context.workers.run(pass.count) { image, _ in
            context.kernels.mask_gradient(
                &map, y + image * output.imageStride + output.interior, gradient + image * output.count,
                &plain, inputGradient + image * output.count)
        }
    }
}

/// Dropout whose mask is a function of (seed, step, layer, element): the backward pass makes it again.
final class DropoutStep: FloatStep {
    private let planned: PlannedStep
    private let context: StepContext
    private let layer: UInt32
    /// Words below this are dropped.
    private let threshold: UInt32
    private let scale: Float

    init(_ planned: PlannedStep, probability: Double, layer: Int, _ context: StepContext) {
        self.planned = planned
        self.context = context
        self.layer = UInt32(layer)
        threshold = UInt32(probability * 0x1p32)
        scale = Float(1 / (1 - probability))
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        planned.forEachRow(pass, context.workers, x: x, y: y) { image, row, x, y in
            if pass.isTraining {
                apply(pass, image: image, row: row, from: x, to: y)
            } else {
                y.update(from: x, count: planned.rowCount)
            }
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        guard let inputGradient else { return }
        let output = planned.output
        context.workers.run(pass.count) { image, _ in
            for row in 0..<output.height {
                let start = image * output.count + row * planned.rowCount
                apply(pass, image: image, row: row, from: gradient + start, to: inputGradient + start)
            }
        }
    }

    private func apply(_ pass: Pass, image: Int, row: Int, from: Floats, to: Floats) {
        // Rows start at multiples of four: the generator makes four numbers at once.
        let offset = (image * planned.output.height + row) * planned.rowCount.roundedUp(to: 4)
        vgg_dropout(
            from, to, planned.rowCount, UInt64(offset), pass.seed, Philox.Stream.dropout.rawValue,
            UInt32(truncatingIfNeeded: pass.step), layer, threshold, scale)
    }
}
