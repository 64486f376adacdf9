import CVGGKernels
import VGGEngine
import VGGModel

/// A ReLU that follows nothing it could be fused into.
final class ReLUStep: FloatStep {
    struct Kind: StepKind {
        let planned: LaidOutStep

        var kernelNames: (forward: String, backward: String) { ("relu", "mask_gradient") }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            ReLUStep(planned, context)
        }
    }

    private let planned: LaidOutStep
    private let context: StepContext

    init(_ planned: LaidOutStep, _ context: StepContext) {
        self.planned = planned
        self.context = context
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        let (input, output) = (planned.input, planned.output)
        context.workers.run(pass.count) { image, _ in
            let target = y + image * output.imageStride
            output.zeroBorder(target)
            for row in 0..<input.height {
                context.kernels.relu(
                    x + image * input.imageStride + input.interior + row * input.rowStride,
                    target + output.interior + row * output.rowStride, input.plain.rowStride)
            }
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        guard let inputGradient else { return }
        let output = planned.output
        context.workers.run(pass.count) { image, _ in
            var (map, plain) = (output.map, output.plain.map)
            context.kernels.mask_gradient(
                &map, y + image * output.imageStride + output.interior, gradient + image * output.count,
                &plain, inputGradient + image * output.count)
        }
    }
}
