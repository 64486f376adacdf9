import CVGGKernels
import VGGEngine
import VGGModel

/// The backward pass of a plan for the gradient of its input, in single precision: no weights have one, and there may be a
/// single large image. Few images at a time, as many as fill Winograd's blocks, are shared out among all threads, and
/// their full gradients lie in the shared scratch memory once.
extension ConvolutionStep {
    func makeInputGradients(_ pass: Pass, of batch: Batch) {
        guard let algorithm = choice.inputGradient, let target = batch.inputGradient else { return }
        let maps: Numbers = shared(scratch.maps)
        context.workers.run(over: scratch.images * gradientMap.count, grain: 1 << 16) { range, _ in
            (maps + range.lowerBound).update(repeating: 0, count: range.count)
        }
        for first in Swift.stride(from: 0, to: pass.count, by: scratch.images) {
            let count = min(scratch.images, pass.count - first)
            // A row of a pooled map is of two of the full one.
            let height = planned.output.height
            context.workers.run(over: count * height, grain: 1) { rows, _ in
                for place in rows {
                    let (image, y) = place.quotientAndRemainder(dividingBy: height)
                    expand(
                        row: y, ofImage: first + image, of: batch,
                        to: floats(maps) + gradientMap.interior + image * gradientMap.count)
                }
            }
            makeInputGradients(
                of: count, from: maps + gradientMap.backwardOffset, algorithm,
                to: target.assumingMemoryBound(to: Number.self) + first * planned.input.gradientStride)
        }
    }

    private func makeInputGradients(
        of count: Int, from maps: Numbers, _ algorithm: ConvolutionChoice.Algorithm, to dx: Numbers
    ) {
        let (input, threads) = (planned.input, context.workers.threads)
        switch algorithm {
        case .direct:
            let rows = TaskGrid(count, over: input.height, least: 1, threads: threads)
            context.workers.run(rows) { image, rows, _ in
                // A task's own: Swift takes it to be changed by the call.
                var back = gradientMap.backward
                convolve(
                    &back, maps + image * gradientMap.count, shared(scratch.flipped), nil,
                    dx + image * input.gradientStride, rows: rows, relu: false)
            }
        case .winograd:
            let tiles = TaskRanges(
                over: count * input.tiles(kernel: convolution.kernel),
                grain: vgg_winograd_block(convolution.outChannels),
                least: Int(VGG_WINOGRAD_BLOCK), threads: threads)
            context.workers.run(tiles) { range, worker in
                var back = gradientMap.backward
                convolveByWinograd(
                    &back, maps, stride: gradientMap.count, shared(scratch.flippedTransformed), nil,
                    Memory(dx), stride: input.gradientStride, Number.element, nil, tiles: range, relu: false,
                    pool: false, worker: worker)
            }
        // Mixed precision's, and those of small maps, which have a pass of their own.
        case .pooled, .pooledWinograd, .smallMap: return
        }
    }

    /// A row of one image's gradient before ReLU and pool; of a pooled one, the two that it was chosen from.
    private func expand(row: Int, ofImage image: Int, of batch: Batch, to dy: Floats) {
        let output = planned.output
        let gradient =
            batch.gradient.assumingMemoryBound(to: Float.self) + image * output.gradientStride
            + row * output.plain.rowStride
        var target = gradientMap.map
        if pool, let winners = batch.winners {
            target.height = 2
            let offset = image * output.count + row * output.plain.rowStride
            context.kernels.unpool_gradient(
                gradient, winners + offset, 1, output.width, &target, dy + 2 * row * target.row)
        } else {
            var map = output.map
            map.height = 1
            target.height = 1
            let y =
                batch.y.assumingMemoryBound(to: Float.self) + image * output.imageStride + output.interior
                + row * output.rowStride
            context.kernels.mask_gradient(
                &map, relu ? y : nil, gradient, &target, dy + row * target.row)
        }
    }
}
