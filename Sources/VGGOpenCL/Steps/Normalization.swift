import VGGEngine
import VGGModel

/// A batch norm, as the kernels know it.
private struct NormShape: PlainArgument {
    var count, channels, height, width: Int32
    var relu, pool: Int32
}

/// Batch norm of maps z, with the ReLU and the 2×2 max pool that may follow: a step of its own and the convolution that has it
/// fused are both made of it.
struct Normalization {
    private let norm: BatchNorm
    private let height, width: Int
    private let relu, pool: Bool
    private let context: StepContext
    /// Weight, bias, running mean and running variance.
    private let values: [OpenCLBuffer]
    private let firstParameter: Int
    /// Five numbers a channel, from the forward to the backward pass.
    private let coefficients: OpenCLBuffer

    init(
        _ norm: BatchNorm, height: Int, width: Int, relu: Bool, pool: Bool, _ context: StepContext,
        values: [OpenCLBuffer], firstParameter: Int, _ coefficients: OpenCLBuffer
    ) {
        self.norm = norm
        (self.height, self.width) = (height, width)
        (self.relu, self.pool) = (relu, pool)
        self.context = context
        self.values = values
        self.firstParameter = firstParameter
        self.coefficients = coefficients
    }

    static func coefficientBytes(_ norm: BatchNorm) -> Int { 5 * norm.channels * 4 }

    /// How the sums over a batch's images are cut.
    private static func parts(_ norm: BatchNorm, count: Int) -> SumParts {
        SumParts(count, groups: norm.channels, wanted: 2048, least: 1)
    }

    static func scratch(_ norm: BatchNorm, count: Int) -> Int {
        parts(norm, count: count).count * 2 * norm.channels * 4
    }

    private func shape(_ pass: Pass) -> NormShape {
        NormShape(
            count: Int32(pass.count), channels: Int32(norm.channels), height: Int32(height),
            width: Int32(width),
            relu: relu ? 1 : 0, pool: pool ? 1 : 0)
    }

    /// - Parameter z: may be the scratch memory in inference, which needs none of it.
    func forward(_ pass: Pass, z: OpenCLBuffer, y: OpenCLBuffer, winners: OpenCLBuffer?) {
        let (queue, shape) = (context.queue, shape(pass))
        let parts = Self.parts(norm, count: pass.count)
        let images = Int32(parts.chunk)
        if pass.isTraining {
            queue.sums(
                context.kernel("channel_moments"), norm.channels, parts.count, shape, images, z,
                context.scratch)
        }
        queue.numbers(
            "norm_statistics", norm.channels, shape, Int32(pass.isTraining ? parts.count : 0), images,
            norm.epsilon, norm.momentum, context.scratch, values[2], values[3], coefficients)
        let pixels = pool ? height / 2 * (width / 2) : height * width
        queue.numbers(
            context.kernel("norm_forward"), pass.count * norm.channels * pixels, shape, coefficients,
            values[0], values[1], z, y, winners)
    }

    /// Makes the gradients of weight and bias, and that of z.
    /// - Parameter dz: may be z itself; nil where nobody needs it.
    func backward(
        _ pass: Pass, z: OpenCLBuffer, gradient: OpenCLBuffer, winners: OpenCLBuffer?, dz: OpenCLBuffer?
    ) {
        guard let weight = context.gradient(firstParameter), let bias = context.gradient(firstParameter + 1)
        else { return }
        let (queue, shape) = (context.queue, shape(pass))
        let parts = Self.parts(norm, count: pass.count)
        queue.sums(
            context.kernel("norm_sums"), norm.channels, parts.count, shape, Int32(parts.chunk), coefficients,
            values[0], values[1], z, gradient, winners, context.scratch)
        queue.numbers(
            "norm_parameter_gradients", norm.channels, shape, Int32(parts.count), context.scratch, values[0],
            coefficients, weight, bias)
        guard let dz else { return }
        queue.numbers(
            context.kernel("norm_gradient"), pass.count * norm.channels * height * width, shape, coefficients,
            values[0], values[1], z, gradient, winners, dz)
    }
}

/// A batch norm that follows no convolution.
final class BatchNormStep: Step {
    private let norm: Normalization

    init(_ context: StepContext, _ norm: BatchNorm, relu: Bool) {
        self.norm = Normalization(
            norm, height: context.step.input.height, width: context.step.input.width, relu: relu, pool: false,
            context, values: context.values, firstParameter: 0, context.kept[0])
    }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        norm.forward(pass, z: x, y: y, winners: nil)
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        norm.backward(pass, z: x, gradient: gradient, winners: nil, dz: dx)
    }
}
