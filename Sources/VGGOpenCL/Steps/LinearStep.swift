import VGGEngine
import VGGModel

/// A linear layer with the ReLU after it. Its weights may be updated as their gradients are made.
final class LinearStep: Step {
    private let context: StepContext
    private let layer: Linear
    private let relu: Bool

    init(_ context: StepContext, _ layer: Linear, relu: Bool) {
        self.context = context
        self.layer = layer
        self.relu = relu
    }

    func forward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer) {
        context.queue.tiles(
            context.kernel("linear"), layer.outFeatures, pass.count, 1, Int32(pass.count),
            Int32(layer.inFeatures),
            Int32(layer.outFeatures), Int32(relu ? 1 : 0), x, context.weights, context.values[1], y)
    }

    func backward(_ pass: Pass, x: OpenCLBuffer, y: OpenCLBuffer, gradient: OpenCLBuffer, dx: OpenCLBuffer?) {
        let (queue, count) = (context.queue, Int32(pass.count))
        let (inFeatures, outFeatures) = (Int32(layer.inFeatures), Int32(layer.outFeatures))
        if relu {
            let numbers = context.outputCount(pass)
            queue.numbers(context.kernel("relu_gradient"), numbers, UInt64(numbers), gradient, y, gradient)
        }
        // Before the weights change.
        if let dx {
            queue.tiles(
                context.kernel("linear_input_gradient"), layer.inFeatures, pass.count, 1, count, inFeatures,
                outFeatures, gradient, context.weights, dx)
        }
        guard let training = context.training, let bias = context.gradient(1) else { return }
        BiasGradient.make(
            context, context.step.formats, count: pass.count, channels: layer.outFeatures, pixels: 1,
            gradient, nil,
            to: bias)
        let (parameter, kernel) = (context.firstParameter, context.kernel("linear_weight_gradient"))
        if let update = pass.update {
            let state = training.update(update, of: parameter)
            queue.tiles(
                kernel, layer.inFeatures, layer.outFeatures, 1, count, inFeatures,
                outFeatures, x, gradient, OpenCLBuffer?.none, state.numbers, context.values[0],
                state.momentum, state.squares, state.average)
        } else {
            queue.tiles(
                kernel, layer.inFeatures, layer.outFeatures, 1, count, inFeatures,
                outFeatures, x, gradient, training.gradient(parameter), KernelUpdate(), context.values[0],
                OpenCLBuffer?.none, OpenCLBuffer?.none, OpenCLBuffer?.none)
        }
    }
}
