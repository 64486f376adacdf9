import CVGGKernels
import VGGEngine
import VGGModel

extension ConvolutionStep {
    /// Where a step's temporary floats lie, in bytes.
    struct Scratch {
        /// Twice the weight gradient's block: a few blocks of even size leave no sliver.
        private static let tilesAtOnce = 4 * Int(VGG_WINOGRAD_BLOCK)

        /// Images whose full gradients a worker holds at once, so that their tiles fill Winograd's blocks.
        let images: Int
        /// Of a worker: the full gradients, Winograd's tiles, and the weight gradient's sums, transformed.
        let maps, tiles, transformedSums: Int
        let worker: Int
        /// Shared: the flipped weights, the same transformed, and the shards' sums.
        let flipped, flippedTransformed, sums: Int
        let shared: Int
        /// Kept: the transformed weights.
        let kept: Int

        init(_ planned: LaidOutStep, _ convolution: Convolution, pool: Bool, batchSize: Int) {
            let training = planned.mode == .training
            let full = convolution.output(of: planned)
            let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
            let (forward, backward) = (
                convolution.forwardAlgorithm == .winograd,
                training && planned.needsInputGradient && convolution.backwardAlgorithm == .winograd
            )
            let gradientMap = GradientMap(
                convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
            var worker = ScratchParts()
            let needsMap = planned.needsInputGradient || !convolution.readsPooledGradient(pool: pool)
            let gradient = training && convolution.gradientAlgorithm == .winograd
            let shards = Plan.shards(of: batchSize)
            images =
                backward || gradient
                ? min((batchSize + shards - 1) / shards, max(1, Self.tilesAtOnce / full.tiles)) : 1
            maps = worker.take(training && needsMap ? images * gradientMap.count : 0, of: Float.self)
            tiles = worker.take(
                max(
                    forward ? vgg_winograd_scratch(inputs) : 0, backward ? vgg_winograd_scratch(outputs) : 0,
                    gradient ? vgg_winograd_gradient_scratch(inputs) : 0),
                of: Float.self)
            transformedSums = worker.take(
                gradient ? vgg_winograd_weights_count(inputs, outputs) : 0, of: Float.self)
            self.worker = worker.total

            var shared = ScratchParts()
            flipped = shared.take(
                training && planned.needsInputGradient
                    ? inputs.panels * panel * outputs * convolution.kernel * convolution.kernel : 0,
                of: Float.self)
            flippedTransformed = shared.take(
                backward ? vgg_winograd_weights_count(outputs, inputs) : 0, of: Float.self)
            sums = shared.take(training ? shards * planned.shardStride : 0, of: Float.self)
            self.shared = shared.total
            kept = forward ? vgg_winograd_weights_count(inputs, outputs) * MemoryLayout<Float>.stride : 0
        }
    }

    static func scratch(
        _ planned: LaidOutStep, _ convolution: Convolution, pool: Bool, batchSize: Int
    ) -> StepScratch {
        let scratch = Scratch(planned, convolution, pool: pool, batchSize: batchSize)
        return StepScratch(shared: scratch.shared, worker: scratch.worker, copies: [scratch.kept])
    }
}

extension ActivationLayout {
    /// Winograd's tiles of an image: 4×4 outputs each, of which a pool leaves 2×2.
    var tiles: Int { ((height + 3) / 4) * ((width + 3) / 4) }
    var pooledTiles: Int { ((height / 2 + 1) / 2) * ((width / 2 + 1) / 2) }
}
