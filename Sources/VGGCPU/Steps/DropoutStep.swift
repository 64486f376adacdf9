import CVGGKernels
import VGGEngine
import VGGModel

/// Dropout whose mask is a function of (seed, step, layer, element): the backward pass makes it again.
final class DropoutStep: Step {
    struct Kind: StepKind {
        let planned: LaidOutStep
        let probability: Double
        let layer: Int

        var kernelNames: (forward: String, backward: String) { ("dropout", "dropout") }

        func scratch(batchSize: Int, threads: Int) -> StepScratch {
            StepScratch(worker: planned.output.plain.rowStride * MemoryLayout<Float>.stride)
        }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            DropoutStep(planned, probability: probability, layer: layer, context)
        }
    }

    private let planned: LaidOutStep
    private let context: StepContext
    private let layer: UInt32
    /// Words below this are dropped.
    private let threshold: UInt32
    private let scale: Float

    init(_ planned: LaidOutStep, probability: Double, layer: Int, _ context: StepContext) {
        self.planned = planned
        self.context = context
        self.layer = UInt32(layer)
        threshold = UInt32(probability * 0x1p32)
        scale = Float(1 / (1 - probability))
    }

    func forward(_ pass: Pass, x: Memory, y: Memory) {
        let (input, output) = (planned.input, planned.output)
        context.workers.run(pass.count) { image, worker in
            let target = y + image * output.imageStride * output.element.size
            output.zeroBorder(target)
            for row in 0..<output.height {
                apply(
                    pass, image: image, row: row, worker: worker, drops: pass.isTraining,
                    from: x + (image * input.imageStride + input.interior + row * input.rowStride)
                        * input.element.size,
                    input.element,
                    to: target + (output.interior + row * output.rowStride) * output.element.size,
                    output.element)
            }
        }
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        guard let inputGradient else { return }
        let (input, output) = (planned.input, planned.output)
        context.workers.run(pass.count) { image, worker in
            for row in 0..<output.height {
                let start = row * output.plain.rowStride
                apply(
                    pass, image: image, row: row, worker: worker, drops: true,
                    from: gradient + (image * output.gradientStride + start) * output.element.size,
                    output.element,
                    to: inputGradient + (image * input.gradientStride + start) * input.element.size,
                    input.element)
            }
        }
    }

    /// Drops from one row, by way of floats in scratch memory.
    private func apply(
        _ pass: Pass, image: Int, row: Int, worker: Int, drops: Bool, from: Memory, _ fromElement: Element,
        to: Memory, _ toElement: Element
    ) {
        let count = planned.output.plain.rowStride
        let floats = context.worker(worker).assumingMemoryBound(to: Float.self)
        fromElement.load(from, to: floats, count: count, context.mixedKernels)
        if drops {
            // Rows start at multiples of four: the generator makes four numbers at once.
            let place = pass.node.images.lowerBound + image
            let offset = (place * planned.output.height + row) * count.roundedUp(to: 4)
            context.kernels.dropout(
                floats, floats, count, UInt64(offset), pass.seed, Philox.Stream.dropout.rawValue,
                UInt32(truncatingIfNeeded: pass.step), layer, threshold, scale)
        }
        toElement.store(floats, to: to, count: count, context.mixedKernels)
    }
}
