import VGGEngine
import VGGModel

/// The batch norm that is fused into a convolution.
extension ConvolutionStep {
    /// z: plain, in the number format of the kernels.
    static func zLayout(_ full: ActivationLayout) -> ActivationLayout {
        var layout = full.plain
        layout.element = Number.element
        return layout
    }

    /// Numbers from one image to the next of what the convolution writes.
    func stride(_ output: ActivationLayout) -> Int {
        normalization == nil ? output.imageStride : zLayout.gradientStride
    }

    /// Where a pass over the batch x finds an image's z: kept, or made again in the worker's scratch memory.
    func images(ofZ x: Memory) -> (_ image: Int, _ worker: Int) -> Numbers {
        guard choice.remakesZ else {
            return { [z = z, stride = zLayout.gradientStride] image, _ in z + image * stride }
        }
        // Before the workers start: it may have to be packed.
        let weights = weights(for: .direct)
        let shape = convolution.shape(full, x: planned.input)
        return { [self] image, worker in
            var shape = shape
            let made: Numbers = self.worker(worker, scratch.imageZ)
            convolve(
                &shape, input(x, image: image, worker: worker), weights, parameters.values[1], made,
                rows: 0..<full.height, relu: false)
            return made
        }
    }

    /// Makes y of z.
    func normalize(_ pass: Pass, _ normalization: Normalization<Number>, x: Memory, y: Memory) {
        let output = planned.output
        let isConverted = output.element != Number.element
        let target = isConverted ? output.plain : output
        let z = images(ofZ: x)
        normalization.prepare(pass, z: z)
        winners.withUnsafeMutableBufferPointer { winners in
            // Each task writes its image's.
            let winners = pass.isTraining && !winners.isEmpty ? winners.baseAddress : nil
            context.workers.run(pass.count) { image, worker in
                let to = y + image * output.imageStride * output.element.size
                output.zeroBorder(to)
                let made: Numbers =
                    isConverted
                    ? self.worker(worker, scratch.output)
                    : to.assumingMemoryBound(to: Number.self) + output.interior
                normalization.normalize(
                    z(image, worker), to: made, target.map, winners.map { $0 + image * output.count })
                if isConverted { load(made, target, to: to) }
            }
        }
    }

    func makeOutputAgain(_ image: Int, to y: Memory) {
        guard let normalization else { preconditionFailure("only a batch norm makes its output again") }
        let output = planned.output
        output.zeroBorder(y)
        normalization.normalize(
            z + image * zLayout.gradientStride,
            to: y.assumingMemoryBound(to: Number.self) + output.interior, output.map, nil)
    }

    /// The sums of the backward pass, which the gradient of z needs.
    func sum(_ pass: Pass, _ normalization: Normalization<Number>, of batch: Batch) {
        normalization.sum(
            pass, z: batch.z, winners: winners.isEmpty ? nil : batch.winners,
            winnerStride: planned.output.count
        ) { image, worker in gradient(image, of: batch, worker: worker) }
    }
}
