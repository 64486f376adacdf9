import CVGGKernels
import VGGEngine
import VGGModel

/// A convolution with its bias, batch norm, ReLU and 2×2 max pool in one.
///
/// With a batch norm the convolution's own output, z, is kept or made again, and all after it is the norm's
/// (`Normalization`). Else, forward, a fused pool keeps the pooled value and one byte that says which of the four won, or that ReLU
/// killed them all; backward, a few images' full gradients are made again from that in a worker's scratch
/// memory, so that full maps of the whole batch exist in neither direction. Where a neighbour works in another number
/// format, an image is converted in a worker's scratch memory on its way in or out.
final class ConvolutionStep<Number: Arithmetic>: Step {
    typealias Numbers = UnsafeMutablePointer<Number>

    let planned: LaidOutStep
    let convolution: Convolution
    /// Of the convolution itself: where a batch norm is fused, ReLU and pool are the norm's.
    let relu: Bool
    var pool: Bool { choice.pool }
    let normalization: Normalization<Number>?
    /// What the convolution itself writes where a batch norm is fused, if it is kept, and how it lies.
    let z: Numbers
    let zLayout: ActivationLayout
    let choice: ConvolutionChoice
    let parameters: BoundParameters
    let context: StepContext
    let gradientMap: GradientMap
    /// Where passes are computed by whole images.
    let small: SmallMap?
    let scratch: Scratch
    /// The map the convolution itself makes, before the pool.
    let full: ActivationLayout
    var winners: [UInt8]

    init(
        _ kind: Kind, _ parameters: BoundParameters, kept: Memory, _ context: StepContext, batchSize: Int
    ) {
        let (planned, convolution, norm) = (kind.planned, kind.convolution, kind.norm)
        self.planned = planned
        self.convolution = convolution
        relu = kind.relu && norm == nil
        self.parameters = parameters
        self.context = context
        choice = kind.choice
        full = convolution.output(of: planned)
        scratch = Scratch(
            planned, convolution, choice, norm: norm, batchSize: batchSize, threads: context.workers.threads)
        let zLayout = Self.zLayout(full)
        self.zLayout = zLayout
        z = (planned.mode.hasBackward ? kept : context.shared + scratch.z)
            .assumingMemoryBound(to: Number.self)
        normalization = norm.map {
            Normalization(
                $0, relu: kind.relu, pool: kind.pool, map: zLayout, parameters, from: 2, context)
        }
        small = SmallMap(planned, convolution, choice)
        let (own, whole) = convolution.gradientInput(planned.input)
        gradientMap = GradientMap(
            own, output: full, input: whole,
            forInput: planned.needsInputGradient && choice.inputGradient != .smallMap)
        winners = [UInt8](repeating: 0, count: kind.winnerBytes * batchSize)
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
            planned, convolution, choice, node: node, rows: pool ? planned.output.height : full.height,
            tiles: (
                Self.tiles(full, planned.output, kernel: convolution.kernel, pool: pool),
                Self.blocks(of: convolution)
            ),
            images: scratch.images, threads: context.workers.threads)
    }

    func prepare() { _ = weights(for: choice.forward) }

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
        guard let normalization else { return convolve(pass, x: x, y: y, planned.output) }
        if !choice.remakesZ { convolve(pass, x: x, y: Memory(z), zLayout) }
        normalize(pass, normalization, x: x, y: y)
    }

    private func convolve(_ pass: Pass, x: Memory, y: Memory, _ output: ActivationLayout) {
        if let small, choice.forward == .smallMap {
            forwardOfSmallMap(pass, small, x: x, y: y, output)
        } else if choice.forward == .winograd {
            forwardByWinograd(pass, x: x, y: y, output)
        } else {
            forwardDirectly(pass, x: x, y: y, output)
        }
    }

    private func forwardDirectly(_ pass: Pass, x: Memory, y: Memory, _ output: ActivationLayout) {
        let weights = weights(for: .direct)
        let stride = stride(output)
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
                let to = y + image * stride * output.element.size
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
                if isConverted { load(made, target, rows: rows, to: to) }
            }
        }
    }

    /// Writes some rows of an image's output, made in the kernels' format, as floats.
    func load(_ made: Numbers, _ layout: ActivationLayout, rows: Range<Int>? = nil, to image: Memory) {
        let output = planned.output
        for row in rows ?? 0..<output.height {
            Number.element.load(
                made + row * layout.rowStride,
                to: image.assumingMemoryBound(to: Float.self) + output.interior + row * output.rowStride,
                count: layout.rowStride, context.mixedKernels)
        }
    }

    /// Tiles of all images are dealt out together, so that small maps fill a block of them too.
    private func forwardByWinograd(_ pass: Pass, x: Memory, y: Memory, _ output: ActivationLayout) {
        let weights = weights(for: .winograd)
        let stride = stride(output)
        if output.border > 0 {
            context.workers.run(pass.count) { image, _ in
                output.zeroBorder(y + image * stride * output.element.size)
            }
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
                    stride: stride, output.element, winners, tiles: range, relu: relu, pool: pool,
                    worker: worker)
            }
        }
    }
}
