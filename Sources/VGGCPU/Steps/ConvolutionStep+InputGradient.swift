import CVGGKernels
import VGGEngine
import VGGModel

/// The backward pass of a plan for the gradient of its input: no weights have one, and there may be a single large image. A task
/// makes a band of rows; of few images at a time, as many as fill Winograd's blocks.
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
                expand(
                    for: rows, ofImage: first + place, of: batch, to: maps + place * bands.stride,
                    worker: worker)
            }
            func make(_ dx: Numbers, stride: Int) {
                makeInputGradients(
                    rows, of: count, from: maps + bands.start, algorithm, to: dx, stride: stride,
                    worker: worker)
            }
            let dx = target + first * input.gradientStride * input.element.size
            let start = rows.lowerBound * input.plain.rowStride
            if convolution.borders == .reflect {
                let mirrored: Numbers = self.worker(worker, scratch.mirrored)
                let stride = bands.longest * input.rowStride
                make(mirrored, stride: stride)
                for place in 0..<count {
                    input.fold(
                        rows, of: floats(mirrored) + place * stride,
                        to: dx.assumingMemoryBound(to: Float.self) + place * input.gradientStride,
                        context.kernels)
                }
            } else if input.element == Number.element {
                make(dx.assumingMemoryBound(to: Number.self) + start, stride: input.gradientStride)
            } else {
                let made: Numbers = self.worker(worker, scratch.inputGradient)
                let length = rows.count * input.plain.rowStride
                make(made, stride: length)
                for place in 0..<count {
                    Number.element.load(
                        made + place * length,
                        to: dx.assumingMemoryBound(to: Float.self) + place * input.gradientStride + start,
                        count: length, context.mixedKernels)
                }
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
                &back, maps, stride: scratch.bands.stride, shared(scratch.flippedTransformed), nil,
                Memory(dx),
                stride: stride, Number.element, nil,
                tiles: 0..<count * band.tiles(kernel: convolution.kernel), relu: false, pool: false,
                worker: worker)
        // Those of weights' gradients, and those of small maps, which have a pass of their own.
        case .pooled, .pooledWinograd, .smallMap: return
        }
    }

    /// One image's gradient before ReLU and pool, where some rows of its input's gradient read it.
    private func expand(
        for rows: Range<Int>, ofImage image: Int, of batch: Batch, to maps: Numbers, worker: Int
    ) {
        let (output, row) = (planned.output, gradientMap.backward.x_row)
        let (border, step) = (gradientMap.border, convolution.stride)
        // Of the map with its border.
        let first = rows.lowerBound + gradientMap.offset
        let read = first..<first + rows.count + convolution.kernel - 1
        func line(_ place: Int) -> Numbers { maps + (place - first + scratch.bands.spare) * row }

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
        // Of the output: of a pooled one whole windows.
        let made = pool ? begin / 2..<(end + 1) / 2 : begin..<end
        let start = made.lowerBound * output.plain.rowStride
        let gradient = numbers(
            batch.gradient + (image * output.gradientStride + start) * output.element.size, output.element,
            count: made.count * output.plain.rowStride, self.worker(worker, scratch.gradient))
        if pool, let winners = batch.winners {
            target.height = 2 * made.count
            unpool(
                gradient, winners + image * output.count + start, height: made.count, &target,
                to: line(border + 2 * made.lowerBound * step) + border * output.channels)
        } else {
            var (map, y): (vgg_map, Numbers?) = (output.map, nil)
            (map.height, target.height) = (made.count, made.count)
            if relu { y = self.output(batch.y, image: image, rows: made, &map, worker: worker) }
            mask(
                gradient, &map, y, &target, to: line(border + begin * step) + border * output.channels)
        }
    }
}
