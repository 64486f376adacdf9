import VGGEngine
import VGGModel

/// A pool, as the kernels know it.
private struct PoolShape: PlainArgument {
    var maps, height, width, outHeight, outWidth: Int32
    var window, stride: Int32

    init(_ step: PlannedStep, _ pass: Pass, _ pool: Pool = Pool(window: 0, stride: 0)) {
        maps = Int32(pass.count * step.input.channels)
        (height, width) = (Int32(step.input.height), Int32(step.input.width))
        (outHeight, outWidth) = (Int32(step.output.height), Int32(step.output.width))
        (window, stride) = (Int32(pool.window), Int32(pool.stride))
    }
}

final class MaxPoolStep: Step {
    private let context: StepContext
    private let pool: Pool
    private let winners: OpenCLBuffer?

    init(_ context: StepContext, _ pool: Pool) {
        self.context = context
        self.pool = pool
        winners = context.kept.first
    }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        context.queue.numbers(
            context.kernel("max_pool"), context.outputCount(pass), PoolShape(context.step, pass, pool), x, y,
            winners)
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        guard let dx else { return }
        context.queue.numbers(
            context.kernel("max_pool_gradient"), context.inputCount(pass),
            PoolShape(context.step, pass, pool),
            gradient, winners, dx)
    }
}

/// An average pool, adaptive ones included.
final class AveragePoolStep: Step {
    private let context: StepContext
    /// [begin, end) of the input of each output row and column, and of the output of each input row and column.
    private let windows: OpenCLBuffer

    init(_ context: StepContext, _ rows: [Int], _ columns: [Int]) {
        self.context = context
        windows = context.kept[0]
        let outputs = Self.pairs(rows) + Self.pairs(columns)
        let inputs =
            Self.reached(Self.pairs(rows), context.step.input.height)
            + Self.reached(Self.pairs(columns), context.step.input.width)
        context.queue.write(outputs + inputs, to: windows)
    }

    static func tableCount(_ step: PlannedStep) -> Int {
        step.input.height + step.input.width + step.output.height + step.output.width
    }

    private static func pairs(_ numbers: [Int]) -> [SIMD2<Int32>] {
        stride(from: 0, to: numbers.count, by: 2).map { SIMD2(Int32(numbers[$0]), Int32(numbers[$0 + 1])) }
    }

    /// The windows that have each of the places; both go up, so that these are neighbours.
    private static func reached(_ windows: [SIMD2<Int32>], _ places: Int) -> [SIMD2<Int32>] {
        (0..<Int32(places)).map { place in
            let having = windows.indices.filter { windows[$0].x <= place && place < windows[$0].y }
            return SIMD2(Int32(having.first ?? 0), Int32(having.last.map { $0 + 1 } ?? 0))
        }
    }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        context.queue.numbers(
            "average_pool", context.outputCount(pass), PoolShape(context.step, pass), windows, x, y)
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        guard let dx else { return }
        context.queue.numbers(
            "average_pool_gradient", context.inputCount(pass), PoolShape(context.step, pass), windows,
            gradient,
            dx)
    }
}
