import VGGEngine
import VGGModel

/// A convolution, as the kernels know it.
struct ConvolutionShape: PlainArgument {
    var count, channels, height, width: Int32
    var out, outHeight, outWidth: Int32
    var kernel, stride, padding: Int32
    var relu, pool: Int32
}

/// A convolution with the batch norm, the ReLU and the 2×2 max pool that may follow it, as one step.
///
/// Without a batch norm one kernel makes all of it, and the gradients are made from the pooled gradient and its winners. With
/// one, the convolution's own output z is kept, and its gradient takes its place.
final class ConvolutionStep: Step {
    private let context: StepContext
    private let layer: Convolution
    private let norm: Normalization?
    /// Of the kernels that write and read what the convolution itself makes: z, where there is a norm.
    private let formats: NumberFormats
    private let relu, pool: Bool
    private let winners, z: OpenCLBuffer?
    /// Where in an image each number of a filter finds its input, and which output channel's each is.
    private let inputTaps: OpenCLBuffer
    private let outputTaps: OpenCLBuffer?

    init(_ context: StepContext, _ layer: Convolution, _ norm: BatchNorm?, relu: Bool, pool: Bool) {
        self.context = context
        self.layer = layer
        (self.relu, self.pool) = (relu, pool)
        formats = norm == nil ? context.step.formats : context.step.formats.withOwnOutput
        var kept = context.kept[...]
        let hasBackward = context.step.mode.hasBackward
        let size = Self.map(context.step, layer)
        inputTaps = kept.removeFirst()
        outputTaps = context.step.needsInputGradient ? kept.removeFirst() : nil
        winners = pool && hasBackward ? kept.removeFirst() : nil
        if let norm {
            let coefficients = kept.removeFirst()
            z = hasBackward ? kept.removeFirst() : context.scratch
            self.norm = Normalization(
                norm, height: size.height, width: size.width, relu: relu, pool: pool, context,
                values: Array(context.values[2...]), firstParameter: 2, coefficients)
        } else {
            z = nil
            self.norm = nil
        }
        context.queue.write(
            taps(layer.inChannels, context.step.input.height * context.step.input.width), to: inputTaps)
        if let outputTaps { context.queue.write(taps(layer.outChannels, 1), to: outputTaps) }
    }

    /// The map before the pool.
    private static func map(_ step: PlannedStep, _ layer: Convolution) -> (height: Int, width: Int) {
        func extent(_ input: Int) -> Int { (input + 2 * layer.padding - layer.kernel) / layer.stride + 1 }
        return (extent(step.input.height), extent(step.input.width))
    }

    static func memory(
        _ step: PlannedStep, _ layer: Convolution, _ norm: BatchNorm?, pool: Bool, batchSize: Int
    ) -> StepMemory {
        let (size, area) = (map(step, layer), layer.kernel * layer.kernel)
        let hasBackward = step.mode.hasBackward
        let zBytes = layer.outChannels * size.height * size.width * batchSize * step.formats.own.size
        var memory = StepMemory(kept: [layer.inChannels * area * 8])
        if step.needsInputGradient { memory.kept.append(layer.outChannels * area * 8) }
        if pool, hasBackward { memory.kept.append((step.output.count * batchSize).roundedUp(to: 4)) }
        if let norm {
            memory.kept.append(Normalization.coefficientBytes(norm))
            if hasBackward {
                memory.kept.append(zBytes.roundedUp(to: 4))
            } else {
                memory.scratch = zBytes
            }
            memory.scratch = max(memory.scratch, Normalization.scratch(norm, count: batchSize))
        }
        guard step.trainsParameters else { return memory }
        let weights = layer.outChannels * layer.inChannels * area
        let parts = weightParts(layer, total: batchSize * size.height * size.width)
        memory.scratch = max(
            memory.scratch, parts.count > 1 ? parts.count * weights * 4 : 0,
            BiasGradient.scratch(channels: layer.outChannels, total: batchSize * size.height * size.width))
        return memory
    }

    /// How the sums over all pixels are cut.
    private static func weightParts(_ layer: Convolution, total: Int) -> SumParts {
        let columns = layer.inChannels * layer.kernel * layer.kernel
        let groups = layer.outChannels.parts(of: KernelSizes.tile) * columns.parts(of: KernelSizes.tile)
        return SumParts(total, groups: groups, wanted: 1024, least: 256)
    }

    /// Of each (channel, row, column of the kernel): `stride` times the channel, and row << 16 | column.
    private func taps(_ channels: Int, _ stride: Int) -> [SIMD2<Int32>] {
        let kernel = 0..<layer.kernel
        return (0..<channels).flatMap { channel in
            kernel.flatMap { row in
                kernel.map { column in SIMD2(Int32(channel * stride), Int32(row << 16 | column)) }
            }
        }
    }

    private func shape(_ pass: Pass, relu: Bool, pool: Bool) -> ConvolutionShape {
        let (input, size) = (context.step.input, Self.map(context.step, layer))
        return ConvolutionShape(
            count: Int32(pass.count), channels: Int32(layer.inChannels), height: Int32(input.height),
            width: Int32(input.width), out: Int32(layer.outChannels), outHeight: Int32(size.height),
            outWidth: Int32(size.width), kernel: Int32(layer.kernel), stride: Int32(layer.stride),
            padding: Int32(layer.padding), relu: relu ? 1 : 0, pool: pool ? 1 : 0)
    }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        let size = Self.map(context.step, layer)
        let fusedPool = pool && norm == nil
        let pixels = fusedPool ? size.height / 2 * (size.width / 2) * 4 : size.height * size.width
        context.queue.tiles(
            Kernel("convolution", formats), pass.count * pixels, layer.outChannels, 1,
            shape(pass, relu: relu && norm == nil, pool: fusedPool), inputTaps, x, context.weights,
            context.values[1], z ?? y, norm == nil ? winners : nil)
        if let norm, let z { norm.forward(pass, z: z, y: y, winners: winners) }
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        let queue = context.queue
        var (dz, dzWinners) = (gradient, winners)
        if let norm, let z {
            norm.backward(pass, z: z, gradient: gradient, winners: winners, dz: z)
            (dz, dzWinners) = (z, nil)
        } else if relu, !pool {
            let count = context.outputCount(pass)
            queue.numbers(context.kernel("relu_gradient"), count, UInt64(count), gradient, y, gradient)
        }
        let shape = shape(pass, relu: false, pool: dzWinners != nil)
        gradients(pass, shape, x: x, dz, dzWinners)
        if let dx, let outputTaps {
            let pixels = context.step.input.height * context.step.input.width
            queue.tiles(
                Kernel("convolution_input_gradient", formats), pass.count * pixels, layer.inChannels, 1,
                shape,
                outputTaps, dz, dzWinners, context.weights, dx)
        }
    }

    /// Makes the gradients of weights and bias, where they are trained.
    private func gradients(
        _ pass: Pass, _ shape: ConvolutionShape, x: OpenCLBuffer, _ dz: OpenCLBuffer, _ winners: OpenCLBuffer?
    ) {
        guard let weights = context.gradient(0), let bias = context.gradient(1) else { return }
        let size = Self.map(context.step, layer)
        let columns = layer.inChannels * layer.kernel * layer.kernel
        let parts = Self.weightParts(layer, total: pass.count * size.height * size.width)
        context.queue.tiles(
            Kernel("convolution_weight_gradient", formats), columns, layer.outChannels, parts.count, shape,
            Int32(parts.chunk), inputTaps, x, dz, winners, parts.count > 1 ? context.scratch : weights)
        context.queue.sumParts(layer.outChannels * columns, parts.count, context.scratch, to: weights)
        let pixels = winners == nil ? size.height * size.width : size.height / 2 * (size.width / 2)
        BiasGradient.make(
            context, formats, count: pass.count, channels: layer.outChannels, pixels: pixels, dz, winners,
            to: bias)
    }
}

/// The gradient of a bias: the sums of the gradient's maps.
enum BiasGradient {
    private static func parts(channels: Int, total: Int) -> SumParts {
        SumParts(total, groups: channels, wanted: 2048, least: 1024)
    }

    /// - Parameter total: pixels of a batch.
    static func scratch(channels: Int, total: Int) -> Int {
        parts(channels: channels, total: total).count * channels * 4
    }

    static func make(
        _ context: StepContext, _ formats: NumberFormats, count: Int, channels: Int, pixels: Int,
        _ gradient: OpenCLBuffer, _ winners: OpenCLBuffer?, to sums: OpenCLBuffer
    ) {
        let parts = parts(channels: channels, total: count * pixels)
        context.queue.sums(
            Kernel("bias_gradient", formats), channels, parts.count, Int32(count), Int32(channels),
            Int32(pixels), Int32(parts.chunk), gradient, winners, parts.count > 1 ? context.scratch : sums)
        context.queue.sumParts(channels, parts.count, context.scratch, to: sums)
    }
}

extension OpenCLQueue {
    /// Adds up the rows of parts; of one there is nothing to add.
    func sumParts(_ count: Int, _ rows: Int, _ parts: OpenCLBuffer, to sums: OpenCLBuffer) {
        guard rows > 1 else { return }
        numbers("sum_parts", count, Int32(count), Int32(rows), parts, sums)
    }
}
