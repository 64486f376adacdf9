import CVGGKernels
import VGGEngine
import VGGModel

/// Max pooling of any window and stride that is not fused into a convolution.
///
/// Its kernels are those of single precision: maps of 16 bits are converted an image at a time in a worker's scratch memory.
final class MaxPoolStep: Step {
    struct Kind: StepKind {
        let planned: LaidOutStep
        let pool: Pool

        var kernelNames: (forward: String, backward: String) { ("max_pool", "max_pool_gradient") }
        var winnerBytes: Int { hasBackward ? planned.output.count * MemoryLayout<UInt16>.stride : 0 }

        func scratch(batchSize: Int, threads: Int) -> StepScratch {
            StepScratch(worker: Scratch(planned).total)
        }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            MaxPoolStep(planned, pool, context, batchSize: batchSize)
        }
    }

    /// Where a worker has an image of the input or its gradient, and of the output or its gradient, in bytes.
    private struct Scratch {
        let input, output, total: Int

        init(_ planned: LaidOutStep) {
            var parts = ScratchParts()
            func take(_ layout: ActivationLayout) -> Int {
                parts.take(layout.element == .float32 ? 0 : layout.imageStride, of: Float.self)
            }
            input = take(planned.input)
            output = take(planned.output)
            total = parts.total
        }
    }

    private let planned: LaidOutStep
    private let pool: Pool
    private let context: StepContext
    private let scratch: Scratch
    private var winners: [UInt16]

    init(_ planned: LaidOutStep, _ pool: Pool, _ context: StepContext, batchSize: Int) {
        self.planned = planned
        self.pool = pool
        self.context = context
        scratch = Scratch(planned)
        winners = [UInt16](
            repeating: 0, count: planned.mode.hasBackward ? planned.output.count * batchSize : 0)
    }

    private func copies(_ worker: Int) -> (input: Floats, output: Floats) {
        let memory = context.worker(worker)
        return (
            (memory + scratch.input).assumingMemoryBound(to: Float.self),
            (memory + scratch.output).assumingMemoryBound(to: Float.self)
        )
    }

    func forward(_ pass: Pass, x: Memory, y: Memory) {
        let (input, output, kernels) = (planned.input, planned.output, context.mixedKernels)
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = pass.isTraining ? winners.baseAddress : nil
            context.workers.run(pass.count) { image, worker in
                let copies = copies(worker)
                let target = y + image * output.imageStride * output.element.size
                output.zeroBorder(target)
                let source = input.floats(
                    of: x + image * input.imageStride * input.element.size, copy: copies.input, kernels)
                output.write(to: target, copy: copies.output, kernels) { made, row in
                    var (from, to) = (input.map, output.map)
                    to.row = row
                    vgg_max_pool(
                        &from, source + input.interior, pool.window, pool.stride, &to, made,
                        winners.map { $0 + image * output.count })
                }
            }
        }
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        guard let inputGradient else { return }
        let (input, output) = (planned.input.plain, planned.output.plain)
        let kernels = context.mixedKernels
        winners.withUnsafeBufferPointer { winners in
            guard let winners = winners.baseAddress else { return }
            context.workers.run(pass.count) { image, worker in
                let copies = copies(worker)
                let source = output.floats(
                    of: gradient + image * output.gradientStride * output.element.size, copy: copies.output,
                    kernels)
                let target = inputGradient + image * input.gradientStride * input.element.size
                input.write(to: target, copy: copies.input, kernels) { made, _ in
                    var map = input.map
                    made.update(repeating: 0, count: input.count)
                    vgg_max_pool_gradient(
                        source, winners + image * output.count, output.height, output.width, pool.window,
                        pool.stride, &map, made)
                }
            }
        }
    }
}

/// Average pooling, with fixed or adaptive windows.
final class AveragePoolStep: FloatStep {
    struct Kind: StepKind {
        let planned: LaidOutStep
        let rows, columns: [Int]

        var kernelNames: (forward: String, backward: String) { ("average_pool", "average_pool_gradient") }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            AveragePoolStep(planned, rows, columns, context)
        }
    }

    private let planned: LaidOutStep
    private let rows: [Int]
    private let columns: [Int]
    private let context: StepContext

    init(_ planned: LaidOutStep, _ rows: [Int], _ columns: [Int], _ context: StepContext) {
        self.planned = planned
        self.rows = rows
        self.columns = columns
        self.context = context
    }

    /// Some rows of the output at a time, as there may be a single large image.
    private func tasks(_ pass: Pass, areApart: Bool) -> TaskGrid {
        let height = planned.output.height
        return TaskGrid(
            pass.count, over: height, least: areApart ? 1 : height, threads: context.workers.threads)
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        let (input, output) = (planned.input, planned.output)
        context.workers.run(tasks(pass, areApart: true)) { image, range, _ in
            var (from, to) = (input.map, output.map)
            to.height = range.count
            let target = y + image * output.imageStride
            if range.lowerBound == 0 { output.zeroBorder(target) }
            vgg_average_pool(
                &from, x + image * input.imageStride + input.interior,
                Array(rows[2 * range.lowerBound..<2 * range.upperBound]), columns, &to,
                target + output.interior + range.lowerBound * output.rowStride)
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        guard let inputGradient else { return }
        let (input, output) = (planned.input.plain, planned.output.plain)
        // Windows that share rows are added up by one task.
        let areApart = (1..<output.height).allSatisfy { rows[2 * $0 - 1] <= rows[2 * $0] }
        context.workers.run(tasks(pass, areApart: areApart)) { image, range, _ in
            var (from, to) = (input.map, output.map)
            to.height = range.count
            let target = inputGradient + image * input.count
            let first = range.lowerBound == 0 ? 0 : rows[2 * range.lowerBound]
            let end = range.upperBound == output.height ? input.height : rows[2 * range.upperBound]
            (target + first * input.rowStride).update(repeating: 0, count: (end - first) * input.rowStride)
            vgg_average_pool_gradient(
                gradient + image * output.count + range.lowerBound * output.rowStride,
                Array(rows[2 * range.lowerBound..<2 * range.upperBound]), columns, &to, &from, target)
        }
    }
}
