import CVGGKernels
import VGGEngine
import VGGModel

/// A convolution with its bias, ReLU and 2×2 max pool in one.
///
/// Forward, a fused pool keeps the pooled value and one byte that says which of the four won, or that ReLU
/// killed them all; backward, a few images' full gradients are made again from that in a worker's scratch
/// memory, so that full maps of the whole batch exist in neither direction. Where a neighbour works in another number
/// format, an image is converted in a worker's scratch memory on its way in or out.
final class ConvolutionStep<Number: Arithmetic>: Step {
    typealias Numbers = UnsafeMutablePointer<Number>

    let planned: LaidOutStep
    let convolution: Convolution
    let relu: Bool
    let pool: Bool
    let choice: ConvolutionChoice
    let parameters: BoundParameters
    let context: StepContext
    let gradientMap: GradientMap
    let scratch: Scratch
    /// The map the convolution itself makes, before the pool.
    let full: ActivationLayout
    private(set) var winners: [UInt8]

    init(
        _ planned: LaidOutStep, _ convolution: Convolution, relu: Bool, pool: Bool,
        _ parameters: BoundParameters, _ context: StepContext, batchSize: Int
    ) {
        self.planned = planned
        self.convolution = convolution
        self.relu = relu
        self.pool = pool
        self.parameters = parameters
        self.context = context
        choice = ConvolutionChoice(planned, convolution, pool: pool)
        full = convolution.output(of: planned)
        scratch = Scratch(
            planned, convolution, choice, batchSize: batchSize, threads: context.workers.threads)
        gradientMap = GradientMap(
            convolution, output: full, input: planned.input, forInput: planned.needsInputGradient)
        winners = [UInt8](
            repeating: 0, count: planned.winnerBytes * batchSize)
    }

    /// A part of a worker's scratch memory.
    func worker<Part>(_ index: Int, _ offset: Int) -> UnsafeMutablePointer<Part> {
        (context.worker(index) + offset).assumingMemoryBound(to: Part.self)
    }

    /// A part of the shared scratch memory.
    func shared<Part>(_ offset: Int) -> UnsafeMutablePointer<Part> {
        (context.shared + offset).assumingMemoryBound(to: Part.self)
    }

    func tasks(_ node: SumTree) -> ConvolutionTasks {
        ConvolutionTasks(
            planned, convolution, choice, node: node,
            tiles: (Self.tiles(full, planned.output, pool: pool), Self.tilesAtOnce(convolution)),
            images: scratch.images, threads: context.workers.threads)
    }

    func prepare() { _ = weights(for: choice.inference) }

    /// An image of the input with its border, as the kernels read it.
    func input(_ x: Memory, image: Int, worker: Int) -> Numbers {
        let layout = planned.input
        return numbers(
            x + image * layout.imageStride * layout.element.size, layout.element, count: layout.imageStride,
            self.worker(worker, scratch.input))
    }

    /// Numbers as the kernels read them: converted where they are in another format.
    func numbers(_ memory: Memory, _ element: Element, count: Int, _ converted: Numbers) -> Numbers {
        guard element != Number.element else { return memory.assumingMemoryBound(to: Number.self) }
        Number.element.store(
            memory.assumingMemoryBound(to: Float.self), to: Memory(converted), count: count,
            context.mixedKernels)
        return converted
    }

    func forward(_ pass: Pass, x: Memory, y: Memory) {
        switch choice.forward(in: pass) {
        case .winograd: forwardByWinograd(pass, x: x, y: y)
        default: forwardDirectly(pass, x: x, y: y)
        }
    }

    private func forwardDirectly(_ pass: Pass, x: Memory, y: Memory) {
        let weights = weights(for: .direct)
        let output = planned.output
        let isConverted = output.element != Number.element
        let target = isConverted ? output.plain : output
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (target.rowStride, target.channels)
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = pass.isTraining && pool ? winners.baseAddress : nil
            context.workers.run(tasks(pass.node).rows) { [shape] image, rows, worker in
                // A task's own: Swift takes it to be changed by the call.
                var shape = shape
                let from = input(x, image: image, worker: worker)
                let to = y + image * output.imageStride * output.element.size
                if rows.lowerBound == 0 { output.zeroBorder(to) }
                let made: Numbers =
                    isConverted
                    ? self.worker(worker, scratch.output)
                    : to.assumingMemoryBound(to: Number.self) + output.interior
                if pool {
                    convolveAndPool(
                        &shape, from, weights, made, winners.map { $0 + image * output.count }, rows: rows)
                } else {
                    convolve(&shape, from, weights, parameters.values[1], made, rows: rows, relu: relu)
                }
                guard isConverted else { return }
                for row in rows {
                    Number.element.load(
                        made + row * target.rowStride,
                        to: to.assumingMemoryBound(to: Float.self) + output.interior + row * output.rowStride,
                        count: target.rowStride, context.mixedKernels)
                }
            }
        }
    }

    /// Tiles of all images are dealt out together, so that small maps fill a block of them too.
    private func forwardByWinograd(_ pass: Pass, x: Memory, y: Memory) {
        let weights = weights(for: .winograd)
        let output = planned.output
        context.workers.run(pass.count) { image, _ in
            output.zeroBorder(y + image * output.imageStride * output.element.size)
        }
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (output.rowStride, output.channels)
        winners.withUnsafeMutableBufferPointer { winners in
            let winners = pass.isTraining && pool ? winners.baseAddress : nil
            context.workers.run(tasks(pass.node).tiles) { [shape] range, worker in
                var shape = shape
                convolveByWinograd(
                    &shape, x.assumingMemoryBound(to: Number.self), stride: planned.input.imageStride,
                    weights, parameters.values[1], y + output.interior * output.element.size,
                    stride: output.imageStride, output.element, winners, tiles: range, relu: relu,
                    pool: pool, worker: worker)
            }
        }
    }
}
