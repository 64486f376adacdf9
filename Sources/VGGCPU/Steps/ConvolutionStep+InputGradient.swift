import CVGGKernels
import VGGEngine
import VGGModel

/// The backward pass of a plan for the gradient of its input, in single precision: no weights have one, and there may be a
/// single large image. A task makes a band of rows; of few images at a time, as many as fill Winograd's blocks.
extension ConvolutionStep {
    func makeInputGradients(_ pass: Pass, of batch: Batch) {
        guard let algorithm = choice.inputGradient, let target = batch.inputGradient else { return }
        let (input, bands) = (planned.input, scratch.bands)
        let groups = (pass.count + scratch.images - 1) / scratch.images
        context.workers.run(groups * bands.count) { task, worker in
            let (group, band) = task.quotientAndRemainder(dividingBy: bands.count)
            let first = group * scratch.images
            let count = min(scratch.images, pass.count - first)
            let rows = bands[band]
            let maps: Numbers = self.worker(worker, scratch.maps)
            for place in 0..<count {
                expand(for: rows, ofImage: first + place, of: batch, to: floats(maps) + place * bands.stride)
            }
            let dx = target.assumingMemoryBound(to: Number.self) + first * input.gradientStride
            guard convolution.borders == .reflect else {
                makeInputGradients(
                    rows, of: count, from: maps + bands.start, algorithm,
                    to: dx + rows.lowerBound * input.plain.rowStride, stride: input.gradientStride,
                    worker: worker)
                return
            }
            let mirrored: Numbers = self.worker(worker, scratch.mirrored)
            let stride = bands.longest * input.rowStride
            makeInputGradients(
                rows, of: count, from: maps + bands.start, algorithm, to: mirrored, stride: stride,
                worker: worker)
            for place in 0..<count {
                input.fold(
                    rows, of: floats(mirrored) + place * stride,
                    to: floats(dx) + place * input.gradientStride, context.kernels)
            }
        }
    }

    private func makeInputGradients(
        _ rows: Range<Int>, of count: Int, from maps: Numbers, _ algorithm: ConvolutionChoice.Algorithm,
        to dx: Numbers, stride: Int, worker: Int
    ) {
        var (back, band) = (gradientMap.backward, convolution.gradientInput(planned.input).input)
        (back.out_height, band.height) = (rows.count, rows.count)
        switch algorithm {
        case .direct:
            for image in 0..<count {
                convolve(
                    &back, maps + image * scratch.bands.stride, shared(scratch.flipped), nil,
                    dx + image * stride, rows: 0..<rows.count, relu: false)
            }
        case .winograd:
            convolveByWinograd(
                &back, maps, stride: scratch.bands.stride, shared(scratch.flippedTransformed), nil, Memory(dx),
                stride: stride, Number.element, nil,
                tiles: 0..<count * band.tiles(kernel: convolution.kernel), relu: false, pool: false,
                worker: worker)
        // Mixed precision's, and those of small maps, which have a pass of their own.
        case .pooled, .pooledWinograd, .smallMap: return
        }
    }

    /// One image's gradient before ReLU and pool, where some rows of its input's gradient read it.
    private func expand(for rows: Range<Int>, ofImage image: Int, of batch: Batch, to maps: Floats) {
        let (output, row) = (planned.output, gradientMap.backward.x_row)
        let (border, step) = (gradientMap.border, convolution.stride)
        // Of the map with its border.
        let first = rows.lowerBound + gradientMap.offset
        let read = first..<first + rows.count + convolution.kernel - 1
        func line(_ place: Int) -> Floats { maps + (place - first + scratch.bands.spare) * row }

        let height = pool ? 2 * output.height : output.height
        let begin = min(height, max(0, (first - border + step - 1) / step))
        let end = min(height, max(begin, (read.upperBound - 1 - border) / step + 1))
        for place in read {
            if step == 1, (begin..<end).contains(place - border) {
                // The rest of the row is written.
                let left = border * output.channels
                let right = left + full.width * output.channels
                line(place).update(repeating: 0, count: left)
                (line(place) + right).update(repeating: 0, count: row - right)
            } else {
                line(place).update(repeating: 0, count: row)
            }
        }
        guard begin < end else { return }
        var target = gradientMap.map
        let gradient = batch.gradient.assumingMemoryBound(to: Float.self) + image * output.gradientStride
        if pool, let winners = batch.winners {
            // Whole windows.
            let windows = begin / 2..<(end + 1) / 2
            let start = windows.lowerBound * output.plain.rowStride
            target.height = 2 * windows.count
            context.kernels.unpool_gradient(
                gradient + start, winners + image * output.count + start, windows.count, output.width, &target,
                line(border + 2 * windows.lowerBound * step) + border * output.channels)
        } else {
            var map = output.map
            (map.height, target.height) = (end - begin, end - begin)
            let y =
                batch.y.assumingMemoryBound(to: Float.self) + image * output.imageStride + output.interior
                + begin * output.rowStride
            context.kernels.mask_gradient(
                &map, relu ? y : nil, gradient + begin * output.plain.rowStride, &target,
                line(border + begin * step) + border * output.channels)
        }
    }
}
