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

    /// Makes y of z.
    func normalize(_ pass: Pass, _ normalization: Normalization<Number>, y: Memory) {
        let output = planned.output
        let isConverted = output.element != Number.element
        let target = isConverted ? output.plain : output
        normalization.prepare(pass, z: z)
        winners.withUnsafeMutableBufferPointer { winners in
            // Each task writes its image's.
            let winners = pass.isTraining && !winners.isEmpty ? winners.baseAddress : nil
            normalization.forEachImage(pass) { image, worker, norm in
                let to = y + image * output.imageStride * output.element.size
                output.zeroBorder(to)
                let made: Numbers =
                    isConverted
                    ? self.worker(worker, scratch.output)
                    : to.assumingMemoryBound(to: Number.self) + output.interior
                normalization.normalize(
                    norm, z + image * zLayout.gradientStride, to: made, target.map,
                    winners.map { $0 + image * output.count })
                if isConverted { load(made, target, to: to) }
            }
        }
    }

    /// The sums of the backward pass, which the gradient of z needs.
    func sum(_ pass: Pass, _ normalization: Normalization<Number>, of batch: Batch) {
        normalization.sum(
            pass, z: z, winners: winners.isEmpty ? nil : batch.winners,
            winnerStride: planned.output.count
        ) { image, worker in gradient(image, of: batch, worker: worker) }
    }
}
