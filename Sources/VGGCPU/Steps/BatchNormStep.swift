import CVGGKernels
import VGGEngine
import VGGModel

/// Batch normalisation with the ReLU after it, where it does not follow a convolution.
final class BatchNormStep: FloatStep {
    struct Kind: StepKind {
        let planned: LaidOutStep
        let norm: BatchNorm
        let relu: Bool

        var parameterLayouts: [ParameterLayout] { norm.parameterLayouts }
        var kernelNames: (forward: String, backward: String) { ("normalize", "norm_gradient") }

        func tasks(_ node: SumTree, threads: Int) -> StepTasks {
            let count = node.images.count
            return StepTasks(
                forward: count, inputGradient: makesInputGradient ? count : nil,
                weightGradient: planned.trainsParameters ? Normalization<Float>.leaves(node).nodes.count : nil
            )
        }

        func bound(
            to parameters: BoundParameters, kept: Memory, context: StepContext, batchSize: Int
        ) -> any Step {
            BatchNormStep(planned, norm, relu: relu, parameters, context)
        }
    }

    private let planned: LaidOutStep
    private let normalization: Normalization<Float>
    private let context: StepContext

    init(
        _ planned: LaidOutStep, _ norm: BatchNorm, relu: Bool, _ parameters: BoundParameters,
        _ context: StepContext
    ) {
        self.planned = planned
        self.context = context
        normalization = Normalization(
            norm, relu: relu, pool: false, map: planned.input, parameters, from: 0, context)
    }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        let (input, output) = (planned.input, planned.output)
        normalization.prepare(pass) { image, _ in x + image * input.imageStride }
        context.workers.run(pass.count) { image, _ in
            let target = y + image * output.imageStride
            output.zeroBorder(target)
            normalization.normalize(
                x + image * input.imageStride, to: target + output.interior, output.map, nil)
        }
    }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        let (input, output) = (planned.input, planned.output)
        normalization.sum(
            pass, z: { image, _ in x + image * input.imageStride }, winners: nil, winnerStride: 0,
            gradient: { image, _ in gradient + image * output.count })
        guard let inputGradient else { return }
        context.workers.run(pass.count) { image, _ in
            normalization.makeGradient(
                z: x + image * input.imageStride, gradient + image * output.count, winners: nil,
                to: inputGradient + image * input.count, input.plain.map)
        }
    }
}

extension BatchNorm {
    /// Scale, shift and the running statistics.
    var parameterLayouts: [ParameterLayout] { Array(repeating: .vector(channels), count: 4) }
}
