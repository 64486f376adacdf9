import CVGGKernels
import VGGEngine
import VGGModel

/// A convolution whose images are rows of matrices, which are multiplied by matrices of weights (see small_map_transforms.inc): how
/// these lie in memory, and how the passes are cut into tasks, which changes no sum.
///
/// In one dimension of n pixels it takes 1, 3, 4 or 6 products where direct convolution takes 3 n; in two the square.
struct SmallMap {
    let kernelMap: vgg_small_map
    /// How many matrices.
    let products: Int
    let inputs, outputs: Int
    /// Numbers from one image to the next in the matrices of inputs and outputs.
    let inputRow, outputRow: Int
    /// Numbers from one product's weights to the next's, and from one panel's to the next's.
    let weightMatrix, weightPanel: Int
    /// Output channels, whole panels.
    let paddedOutputs: Int

    /// Nil where the choice is another.
    init?(_ planned: LaidOutStep, _ convolution: Convolution, _ choice: ConvolutionChoice) {
        guard choice.hasSmallMap else { return nil }
        let side = planned.input.height
        (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
        kernelMap = vgg_small_map(
            side: side, in_channels: inputs, out_channels: outputs, x_row: planned.input.rowStride,
            y_row: planned.output.rowStride)
        products = vgg_small_map_products(side)
        inputRow = vgg_small_map_row(inputs)
        outputRow = vgg_small_map_row(outputs)
        weightMatrix = vgg_small_map_matrix(inputs)
        weightPanel = products * weightMatrix
        paddedOutputs = outputs.roundedUp(to: panel)
    }

    /// Numbers of the weights as the products read them.
    var weights: Int { weightPanel * outputs.panels }

    /// Numbers from one matrix of inputs to the next, and of outputs.
    func inputMatrix(_ count: Int) -> Int { vgg_small_map_rows(count, inputs) }
    func outputMatrix(_ count: Int) -> Int { vgg_small_map_rows(count, outputs) }

    /// Where the matrices of a batch lie in shared scratch memory, in bytes.
    struct Scratch {
        /// Of inputs, and of their gradients.
        let inputs: Int
        /// Of products: outputs forward, backward inputs' gradients × images.
        let outputs: Int
        /// Of outputs' gradients, 16 images at a time: [products][images / 16][out channels][16].
        let transposed: Int
        /// Outputs' gradients before ReLU and pool.
        let dense: Int
        /// The batch's inputs in single precision, where they lie in another format.
        let copies: Int
        let total: Int

        static var none: Scratch {
            Scratch(inputs: 0, outputs: 0, transposed: 0, dense: 0, copies: 0, total: 0)
        }
    }

    /// - Parameter copied: the inputs' layout where they lie in another format.
    func scratch(_ count: Int, _ choice: ConvolutionChoice, copied: ActivationLayout?) -> Scratch {
        let columns = count.roundedUp(to: panel)
        let (forward, back) = (choice.forward == .smallMap, choice.inputGradient == .smallMap)
        var parts = ScratchParts()
        let pixels = kernelMap.side * kernelMap.side
        let matrices = parts.take(forward || back ? products * inputMatrix(count) : 0, of: Float.self)
        let others = parts.take(
            products * max(forward ? outputMatrix(count) : 0, back ? columns * inputs : 0), of: Float.self)
        let transposed = parts.take(back ? products * columns * paddedOutputs : 0, of: Float.self)
        let dense = parts.take(
            choice.hasSmallMapGradient ? count * pixels * outputs : 0, of: Float.self)
        let copies = parts.take(copied.map { count * $0.imageStride } ?? 0, of: Float.self)
        return Scratch(
            inputs: matrices, outputs: others, transposed: transposed, dense: dense, copies: copies,
            total: parts.total)
    }

    /// Floats of a worker's scratch memory in the backward pass: for the weights' gradient, or for the matrices of the
    /// outputs' gradients of 16 images.
    var workerScratch: Int { max(vgg_small_map_scratch(), products * outputMatrix(panel)) }

    /// How the passes are cut.
    struct Tasks {
        /// Of the forward pass' transforms: some images.
        let images: TaskRanges
        /// Of the gradients': whole squares of a transposition.
        let squares: TaskRanges
        /// For a matrix, some panels of outputs.
        let forward: TaskGrid
        /// For a matrix, some inputs.
        let inputGradient: TaskGrid
        /// For `VGG_SMALL_MAP_PANELS` of outputs, some inputs.
        let weightGradient: TaskGrid
    }

    func tasks(_ count: Int, threads: Int) -> Tasks {
        let panels = outputs.panels
        return Tasks(
            images: TaskRanges(over: count, grain: panel, least: 1, threads: threads),
            squares: TaskRanges(over: count, grain: panel, threads: threads),
            forward: TaskGrid(products, over: panels, least: 1, threads: threads),
            inputGradient: TaskGrid(products, over: inputs, least: panel, threads: threads),
            weightGradient: TaskGrid(
                (panels + Int(VGG_SMALL_MAP_PANELS) - 1) / Int(VGG_SMALL_MAP_PANELS), over: inputs,
                least: panel, threads: threads))
    }
}
