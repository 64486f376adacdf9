import CVGGKernels
import VGGEngine
import VGGModel

/// Batch normalisation with the ReLU after it: by the batch's statistics in training, by the running ones in
/// inference (Ioffe & Szegedy 2015).
final class BatchNormStep: FloatStep {
    private let planned: LaidOutStep
    private let norm: BatchNorm
    private let relu: Bool
    private let parameters: BoundParameters
    private let context: StepContext
    /// Of the last training batch; the backward pass reads them.
    private var mean: [Float]
    private var inverse: [Float]

    init(
        _ planned: LaidOutStep, _ norm: BatchNorm, relu: Bool, _ parameters: BoundParameters,
        _ context: StepContext
    ) {
        self.planned = planned
        self.norm = norm
        self.relu = relu
        self.parameters = parameters
        self.context = context
        mean = [Float](repeating: 0, count: norm.channels)
        inverse = mean
    }

    private var pixels: Int { planned.input.height * planned.input.width }
    private var weight: Floats { parameters.values[0] }
    private var bias: Floats { parameters.values[1] }
    private var runningMean: Floats { parameters.values[2] }
    private var runningVariance: Floats { parameters.values[3] }

    func forward(_ pass: Pass, x: Floats, y: Floats) {
        let variance: [Float]
        if pass.isTraining {
            variance = measure(pass, x: x)
        } else {
            mean = (0..<norm.channels).map { runningMean[$0] }
            variance = (0..<norm.channels).map { runningVariance[$0] }
        }
        inverse = variance.map { 1 / ($0 + norm.epsilon).squareRoot() }
        let scale = (0..<norm.channels).map { weight[$0] * inverse[$0] }
        let shift = (0..<norm.channels).map { bias[$0] - mean[$0] * scale[$0] }
        context.workers.run(pass.count) { image, _ in
            var (from, to) = (planned.input.map, planned.output.map)
            let output = y + image * planned.output.imageStride
            planned.output.zeroBorder(output)
            context.kernels.scale_shift(
                &from, x + image * planned.input.imageStride + planned.input.interior, scale, shift,
                relu ? 1 : 0, &to, output + planned.output.interior)
        }
    }

    /// Sets `mean`, updates the running statistics, and returns the batch's (biased) variance.
    private func measure(_ pass: Pass, x: Floats) -> [Float] {
        let elements = Double(pass.count * pixels)
        let sums = sums(pass) { image, sums in
            context.kernels.channel_sums(
                x + image * planned.input.imageStride, pixels, norm.channels, sums)
        }
        mean = sums.map { Float($0 / elements) }
        let squares = self.sums(pass) { image, sums in
            context.kernels.channel_squares(
                x + image * planned.input.imageStride, pixels, norm.channels, mean, sums)
        }
        // The running variance is the unbiased one, as in PyTorch.
        let unbiased = elements > 1 ? elements - 1 : 1
        for channel in 0..<norm.channels {
            runningMean[channel] += norm.momentum * (mean[channel] - runningMean[channel])
            runningVariance[channel] +=
                norm.momentum * (Float(squares[channel] / unbiased) - runningVariance[channel])
        }
        return squares.map { Float($0 / elements) }
    }

    /// Sums per channel (`width` times as many numbers) along the tree of the batch, each leaf a task.
    private func sums(
        _ pass: Pass, width: Int = 1, _ body: (_ image: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        let tree = Self.tree(pass.node)
        let count = width * norm.channels
        let first = tree.images.lowerBound
        let (leaves, sum) = tree.nodes(tree.leafCount)
        var parts = [Double](repeating: 0, count: leaves.count * count)
        parts.withUnsafeMutableBufferPointer { parts in
            guard let parts = parts.baseAddress else { return }
            context.workers.run(leaves.count) { leaf, _ in
                for image in leaves[leaf].images { body(image - first, parts + leaf * count) }
            }
            SumTree.forEachAddition(in: sum) { row, other in
                for channel in 0..<count { parts[row * count + channel] += parts[other * count + channel] }
            }
        }
        return Array(parts.prefix(count))
    }

    /// A task each: an image in a batch of 128.
    static func tree(_ node: SumTree) -> SumTree { node.cut(to: SumTree.mostLeaves) }

    func backward(_ pass: Pass, x: Floats, y: Floats, gradient: Floats, inputGradient: Floats?) {
        let channels = norm.channels
        let sums = sums(pass, width: 2) { image, sums in
            var output = planned.output.map
            context.kernels.batch_norm_sums(
                &output, relu ? y + image * planned.output.imageStride + planned.output.interior : nil,
                x + image * planned.input.imageStride, mean, inverse,
                gradient + image * planned.output.count, sums, sums + channels)
        }
        for channel in 0..<channels {
            parameters.gradients[0][channel] = Float(sums[channels + channel])
            parameters.gradients[1][channel] = Float(sums[channel])
        }
        guard let inputGradient else { return }
        let elements = Double(pass.count * pixels)
        let means = sums.map { Float($0 / elements) }
        let scale = (0..<channels).map { weight[$0] * inverse[$0] }
        means.withUnsafeBufferPointer { means in
            guard let means = means.baseAddress else { return }
            context.workers.run(pass.count) { image, _ in
                context.kernels.batch_norm_gradient(
                    gradient + image * planned.output.count, x + image * planned.input.imageStride, pixels,
                    channels, mean, inverse, scale, means, means + channels,
                    inputGradient + image * planned.input.count)
            }
        }
    }
}
