import VGGEngine
import VGGModel

final class ReLUStep: Step {
    private let context: StepContext

    init(_ context: StepContext) { self.context = context }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        let count = context.outputCount(pass)
        context.queue.numbers(context.kernel("relu"), count, UInt64(count), x, y)
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        guard let dx else { return }
        let count = context.outputCount(pass)
        context.queue.numbers(context.kernel("relu_gradient"), count, UInt64(count), gradient, y, dx)
    }
}

/// A dropout, as the kernels know it.
private struct DropoutShape: PlainArgument {
    var first, count, channels, height, width: Int32
    var seedLow, seedHigh, stream, sequence, layer, threshold: UInt32
    var scale: Float
}

/// Dropout with the processor's masks, which are functions of (seed, step, layer, element): the backward pass makes them again.
final class DropoutStep: Step {
    private let context: StepContext
    private let probability: Double
    private let layer: Int

    init(_ context: StepContext, probability: Double, layer: Int) {
        self.context = context
        self.probability = probability
        self.layer = layer
    }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        drop(pass, probability: pass.isTraining ? probability : 0, context.step.formats, x, y)
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        if let dx { drop(pass, probability: probability, context.step.formats.reversed, gradient, dx) }
    }

    private func drop(
        _ pass: Pass, probability: Double, _ formats: NumberFormats, _ from: OpenCLBuffer, _ to: OpenCLBuffer
    ) {
        let map = context.step.output
        let shape = DropoutShape(
            first: Int32(pass.node.images.lowerBound), count: Int32(pass.count),
            channels: Int32(map.channels),
            height: Int32(map.height), width: Int32(map.width),
            seedLow: UInt32(truncatingIfNeeded: pass.seed),
            seedHigh: UInt32(truncatingIfNeeded: pass.seed >> 32),
            stream: Philox.Stream.dropout.rawValue, sequence: UInt32(truncatingIfNeeded: pass.step),
            layer: UInt32(layer), threshold: UInt32(probability * 0x1p32), scale: Float(1 / (1 - probability))
        )
        context.queue.numbers(Kernel("dropout", formats), context.outputCount(pass), shape, from, to)
    }
}
