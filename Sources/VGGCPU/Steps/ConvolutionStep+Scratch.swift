import CVGGKernels
import VGGEngine
import VGGModel

extension ConvolutionStep {
    /// Where a step's temporary numbers lie, in bytes.
    struct Scratch {
        /// Images whose full gradients a worker holds at once, so that their tiles fill Winograd's blocks.
        let images: Int
        /// How the gradient of the input is dealt out where weights have none.
        let bands: GradientBands
        /// Of a worker: the input, output and their gradients, where they have to be converted, or the input of as many images
        /// where it is made again; an image of what a batch norm reads, where that is; the full gradients; those of
        /// inputs with reflected borders; what the kernels of gradients want; Winograd's tiles, and the weight gradient's
        /// sums, transformed; the gradients of weights and bias that wait in their tree.
        let input, output, gradient, inputGradient, imageZ, maps, mirrored, kernel, tiles: Int
        let transformedSums: Int
        /// Of a worker: an image's output or gradient of the input in single precision, on its way to memory of 16 bits.
        let single: Int
        /// Of a worker: inputs and full gradients of a group of images in single precision.
        let singleInputs, singleMaps: Int
        let waitingWeights, waitingBiases: Int
        let worker: Int
        /// Shared: the weights as the gradient of the input wants them, the same transformed, and the tasks' sums.
        let flipped, flippedTransformed, sums: Int
        /// What a batch norm reads, where no backward pass does.
        let z: Int
        let shared: Int
        /// Shared, where the passes are computed by whole images.
        let small: SmallMap.Scratch
        /// Kept: the weights as the direct kernels and as the other algorithms want them, where they run.
        let copies: [Int]

        init(
            _ planned: LaidOutStep, _ convolution: Convolution, _ choice: ConvolutionChoice, norm: BatchNorm?,
            batchSize: Int, threads: Int
        ) {
            let training = planned.mode.hasBackward
            let full = convolution.output(of: planned)
            let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
            let (own, whole) = convolution.gradientInput(planned.input)
            let gradientMap = GradientMap(
                own, output: full, input: whole, forInput: planned.needsInputGradient)
            let convertsInput = planned.input.element != Number.element
            let convertsOutput = planned.output.element != Number.element
            images = ConvolutionStep.images(choice, full, kernel: convolution.kernel, batchSize: batchSize)
            let tasks = GradientTasks(
                SumTree(images: batchSize).cut(to: choice.leaves), panels: outputs.panels, images: images,
                threads: threads)
            let panels = tasks.weights.ranges.longest
            var worker = ScratchParts()
            let inputImages = planned.remakesInput ? images : convertsInput ? 1 : 0
            input = worker.take(inputImages * planned.input.imageStride, of: Number.self)
            output = worker.take(convertsOutput ? planned.output.count : 0, of: Number.self)
            gradient = worker.take(training && convertsOutput ? planned.output.count : 0, of: Number.self)
            inputGradient = worker.take(
                choice.inputGradient != nil && convertsInput ? planned.input.count : 0, of: Number.self)
            let zCount = norm == nil ? 0 : zLayout(full).gradientStride
            imageZ = worker.take(choice.remakesZ ? zCount : 0, of: Number.self)
            bands = GradientBands(
                own, gradientMap, input: whole, pool: choice.pool,
                mirrored: convolution.borders == .reflect ? convolution.padding : 0, batchSize: batchSize,
                threads: threads)
            let mapCount = planned.trainsParameters ? gradientMap.count : bands.stride
            let map = SmallMap(planned, convolution, choice)
            let isCopied = map != nil && ConvolutionStep.isMixed
            maps = worker.take(
                choice.needsMaps ? images * mapCount : isCopied && training ? full.count : 0,
                of: Number.self)
            single = worker.take(isCopied ? max(full.count, planned.input.count) : 0, of: Float.self)
            let isMirrored = choice.inputGradient != nil && convolution.borders == .reflect
            mirrored = worker.take(
                isMirrored ? images * bands.longest * planned.input.rowStride : 0, of: Number.self)
            let ofKernels = ConvolutionStep.kernelScratch(
                choice, convolution.shape(full, x: planned.input), panels)
            let ofSmallMap =
                choice.hasSmallMapGradient ? (map?.workerScratch ?? 0) * MemoryLayout<Float>.stride : 0
            kernel = worker.take(
                training ? max(ofKernels, ofSmallMap / MemoryLayout<Number>.stride) : 0, of: Number.self)
            tiles = worker.take(ConvolutionStep.winogradScratch(choice, convolution), of: Float.self)
            let isWinograd = choice.weightGradient?.isWinograd == true
            transformedSums = worker.take(
                isWinograd ? vgg_winograd_weights_count(inputs, panels * panel) : 0, of: Float.self)
            let copies = isWinograd && ConvolutionStep.isMixed ? images : 0
            singleInputs = worker.take(copies * planned.input.imageStride, of: Float.self)
            singleMaps = worker.take(copies * gradientMap.count, of: Float.self)
            // Beside the first, which is a task's; Winograd's leaves are added to the youngest at once.
            waitingWeights = worker.take(
                choice.sumsInParts
                    ? max(0, tasks.depth - (isWinograd ? 2 : 1)) * panels * planned.parameterLayouts[0].count
                        / outputs.panels : 0, of: Float.self)
            waitingBiases = worker.take(
                choice.sumsInParts ? tasks.depth * outputs.panels * panel : 0, of: Float.self)
            self.worker = worker.total

            var shared = ScratchParts()
            flipped = shared.take(
                choice.inputGradient.map { flippedFloats(convolution, for: $0) } ?? 0, of: Float.self)
            flippedTransformed = shared.take(
                choice.inputGradient == .winograd
                    ? transformedCount(inputs: outputs, outputs: inputs) : 0, of: Number.self)
            sums = shared.take(
                choice.sumsInParts && tasks.nodes.count > 1 ? tasks.nodes.count * planned.sumStride : 0,
                of: Float.self)
            small =
                map?.scratch(batchSize, choice, copied: isCopied && !convertsInput ? planned.input : nil)
                ?? .none
            // Behind all that the convolution itself works in.
            z = max(shared.total, small.total)
            var ofNorm = ScratchParts()
            _ = ofNorm.take(training || choice.remakesZ ? 0 : zCount * batchSize, of: Number.self)
            self.shared = z + ofNorm.total

            let number = MemoryLayout<Number>.stride
            self.copies = [
                choice.forward == .direct ? packedCount(convolution) * number : 0,
                choice.forward == .winograd
                    ? transformedCount(inputs: inputs, outputs: outputs) * number
                    : choice.forward == .smallMap ? (map?.weights ?? 0) * MemoryLayout<Float>.stride : 0,
            ]
        }
    }
}

/// How much the kernels of either arithmetic need, and how Winograd's algorithms cut a map.
extension ConvolutionStep {
    /// Numbers of the weights that direct kernels read in place of the parameters.
    private static func packedCount(_ convolution: Convolution) -> Int {
        isMixed
            ? vgg_bf16_weights_count(convolution.inChannels, convolution.outChannels, convolution.kernel) : 0
    }

    private static func transformedCount(inputs: Int, outputs: Int) -> Int {
        isMixed
            ? vgg_bf16_winograd_weights_count(inputs, outputs) : vgg_winograd_weights_count(inputs, outputs)
    }

    /// Of the weights as the gradient of the input reads them, or as Winograd's transform does: in single precision.
    private static func flippedFloats(
        _ convolution: Convolution, for algorithm: ConvolutionChoice.Algorithm
    ) -> Int {
        let (inputs, outputs, kernel) = (
            convolution.inChannels, convolution.outChannels, convolution.kernel
        )
        guard algorithm != .smallMap else { return 0 }
        guard isMixed, algorithm != .winograd else {
            return inputs.panels * panel * outputs * kernel * kernel
        }
        let numbers =
            algorithm == .pooled
            ? vgg_bf16_pooled_weights_count(inputs, outputs)
            : vgg_bf16_weights_count(outputs, inputs, kernel)
        return (numbers + 1) / 2
    }

    /// As many as fill twice the weight gradient's block of tiles: a few blocks of even size leave no sliver.
    static func images(
        _ choice: ConvolutionChoice, _ full: ActivationLayout, kernel: Int, batchSize: Int
    ) -> Int {
        guard [choice.weightGradient, choice.inputGradient].contains(where: { $0?.isWinograd == true }) else {
            return 1
        }
        let leaf = (batchSize + choice.leaves - 1) / choice.leaves
        return min(leaf, max(1, 4 * Int(VGG_WINOGRAD_BLOCK) / full.tiles(kernel: kernel)))
    }

    /// - Parameter panels: of output channels in a task at most. Fewer may need more, as then more rows are worked on at once.
    private static func kernelScratch(
        _ choice: ConvolutionChoice, _ shape: vgg_convolution, _ panels: Int
    ) -> Int {
        guard isMixed, let algorithm = choice.weightGradient, algorithm == .direct || algorithm == .pooled
        else { return 0 }
        var shape = shape
        let input = algorithm == .pooled ? 2 * vgg_bf16_pooled_input_gradient_scratch(&shape) : 0
        return (1...panels).reduce(input) { most, count in
            shape.out_channels = count * panel
            return max(
                most,
                algorithm == .pooled
                    ? vgg_bf16_pooled_weight_gradient_scratch(&shape)
                    : vgg_bf16_weight_gradient_scratch(&shape))
        }
    }

    private static func winogradScratch(_ choice: ConvolutionChoice, _ convolution: Convolution) -> Int {
        let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
        let forward = isMixed ? vgg_bf16_winograd_scratch(inputs) : vgg_winograd_scratch(inputs)
        return max(
            choice.forward.isWinograd ? forward : 0,
            choice.inputGradient?.isWinograd == true
                ? (isMixed ? vgg_bf16_winograd_scratch(outputs) : vgg_winograd_scratch(outputs)) : 0,
            choice.weightGradient?.isWinograd == true ? vgg_winograd_gradient_scratch(inputs) : 0)
    }

    static func tiles(_ full: ActivationLayout, _ output: ActivationLayout, kernel: Int, pool: Bool) -> Int {
        guard isMixed else { return pool ? full.pooledTiles : full.tiles(kernel: kernel) }
        return pool ? output.height * output.width : full.mixedTiles
    }

    /// So many of Winograd's tiles are best at once; of fewer than the least a task's weights cost more than they bring.
    static func blocks(of convolution: Convolution) -> (most: Int, least: Int) {
        let inputs = convolution.inChannels
        guard isMixed else { return (vgg_winograd_block(inputs), Int(VGG_WINOGRAD_BLOCK)) }
        return (vgg_bf16_winograd_block(inputs), vgg_bf16_winograd_block(inputs))
    }
}

extension ActivationLayout {
    /// Winograd's tiles of an image: 4×4 outputs each for a kernel of 3×3, of which a pool leaves 2×2, and 2×2 for one of 5×5.
    func tiles(kernel: Int) -> Int {
        let side = kernel == 5 ? 2 : 4
        return ((height + side - 1) / side) * ((width + side - 1) / side)
    }
    /// Those of mixed precision: of 2×2 outputs.
    var mixedTiles: Int { ((height + 1) / 2) * ((width + 1) / 2) }
    var pooledTiles: Int { ((height / 2 + 1) / 2) * ((width / 2 + 1) / 2) }
}
