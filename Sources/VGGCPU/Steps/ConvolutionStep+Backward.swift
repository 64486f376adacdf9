import CVGGKernels
import VGGEngine
import VGGModel

extension ConvolutionStep {
    /// What the backward pass of a batch reads and writes.
    struct Batch {
        let x, y, gradient: Memory
        let winners: UnsafePointer<UInt8>?
        let inputGradient: Memory?
        /// Where a batch norm is fused: an image's z.
        let z: (_ image: Int, _ worker: Int) -> Numbers
    }

    func backward(_ pass: Pass, x: Memory, y: Memory, gradient: Memory, inputGradient: Memory?) {
        winners.withUnsafeBufferPointer { winners in
            let batch = Batch(
                x: x, y: y, gradient: gradient, winners: winners.baseAddress, inputGradient: inputGradient,
                z: images(ofZ: x))
            if let normalization { sum(pass, normalization, of: batch) }
            if let small, choice.hasSmallMapGradient { backwardOfSmallMap(pass, small, of: batch) }
            let input = inputGradient == nil || choice.inputGradient == .smallMap ? nil : choice.inputGradient
            if let input { flip(for: input) }
            let tasks = tasks(pass.node).gradients
            let sumsInParts = choice.sumsInParts
            let isOne = sumsInParts && tasks.areOne
            if sumsInParts { makeWeightGradients(pass, tasks, of: batch, andInputs: isOne) }
            guard input != nil, !isOne else { return }
            guard choice.weightGradient != nil else { return makeInputGradients(pass, of: batch) }
            context.workers.run(tasks.images) { images, worker in
                clearMaps(worker: worker)
                makeGradients(images, of: batch, to: nil, andInputs: true, worker: worker)
            }
        }
    }

    /// The borders of the maps and what dilation leaves between their pixels; each image overwrites the rest.
    func clearMaps(worker: Int) {
        guard choice.needsMaps else { return }
        let maps: Numbers = self.worker(worker, scratch.maps)
        maps.update(repeating: 0, count: scratch.images * gradientMap.count)
    }

    /// The sums of some images' gradients of weights and bias (nil where they are not wanted), and, where they are wanted,
    /// the gradients of their inputs.
    func makeGradients(
        _ images: Range<Int>, of batch: Batch, to sums: LeafSums?, andInputs: Bool, worker: Int
    ) {
        // By Winograd's tiles all images in one.
        if choice.weightGradient == .pooledWinograd, let sums {
            pooledWeightGradient(
                images.lowerBound, count: images.count, of: batch, to: sums, worker: worker)
        }
        let readsMaps =
            sums != nil && choice.weightGradient?.isPooled == false
            || andInputs && choice.inputGradient?.isPooled == false
        let maps: Numbers = self.worker(worker, scratch.maps)
        let groups = (images.count + scratch.images - 1) / scratch.images
        for group in 0..<groups {
            let first = images.lowerBound + images.count * group / groups
            let count = images.lowerBound + images.count * (group + 1) / groups - first
            if readsMaps {
                for place in 0..<count {
                    expand(
                        first + place, of: batch, to: maps + gradientMap.interior + place * gradientMap.count,
                        gradientMap.map, worker: worker)
                }
            }
            if let sums {
                weightGradient(
                    first, count: count, of: batch, maps: maps,
                    to: sums.part(isFirst: group == 0, isLast: group == groups - 1), worker: worker)
            }
            if andInputs, let algorithm = choice.inputGradient, let target = batch.inputGradient {
                inputGradient(
                    first, count: count, of: batch, maps: maps, algorithm, to: target, worker: worker)
            }
        }
    }

    /// The geometry of the gradient maps.
    private var gradientShape: vgg_convolution {
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (gradientMap.map.row, gradientMap.map.pixel)
        return shape
    }

    /// The inputs of some images side by side, as the kernels read them.
    private func inputs(_ first: Int, count: Int, of batch: Batch, worker: Int) -> Numbers {
        guard let source = context.source else { return input(batch.x, image: first, worker: worker) }
        let made: Numbers = self.worker(worker, scratch.input)
        for place in 0..<count {
            source.makeOutputAgain(first + place, to: Memory(made + place * planned.input.imageStride))
        }
        return made
    }

    /// The gradient of an image's output, as the kernels read it.
    func gradient(_ image: Int, of batch: Batch, worker: Int) -> Numbers {
        let layout = planned.output
        return numbers(
            batch.gradient + image * layout.gradientStride * layout.element.size, layout.element,
            count: layout.count, self.worker(worker, scratch.gradient))
    }

    private func weightGradient(
        _ first: Int, count: Int, of batch: Batch, maps: Numbers, to sums: LeafSums, worker: Int
    ) {
        switch choice.weightGradient {
        case nil, .pooledWinograd, .smallMap: return
        case .pooled:
            for image in first..<first + count {
                pooledWeightGradient(image, count: 1, of: batch, to: sums, worker: worker)
            }
        case .direct, .winograd:
            var shape = gradientShape
            addWeightGradient(
                &shape, inputs(first, count: count, of: batch, worker: worker), maps, count: count,
                to: sums)
        }
    }

    /// From the pooled gradient itself.
    private func pooledWeightGradient(
        _ first: Int, count: Int, of batch: Batch, to sums: LeafSums, worker: Int
    ) {
        guard let winners = batch.winners else { return }
        var shape = convolution.shape(full, x: planned.input)
        (shape.y_row, shape.y_pixel) = (planned.output.plain.rowStride, planned.output.channels)
        addPooledWeightGradient(
            &shape, input(batch.x, image: first, worker: worker),
            gradient(first, of: batch, worker: worker), winners + first * planned.output.count, count: count,
            to: sums)
    }

    /// The gradients of some images' inputs.
    private func inputGradient(
        _ first: Int, count: Int, of batch: Batch, maps: Numbers, _ algorithm: ConvolutionChoice.Algorithm,
        to target: Memory, worker: Int
    ) {
        let input = planned.input
        let stride = input.gradientStride
        let target = target + first * stride * input.element.size
        let isConverted = input.element != Number.element
        let dx: Numbers =
            isConverted
            ? self.worker(worker, scratch.inputGradient) : target.assumingMemoryBound(to: Number.self)
        var back = gradientMap.backward
        let from = maps + gradientMap.backwardOffset
        switch algorithm {
        case .pooled, .pooledWinograd:
            guard let winners = batch.winners else { return }
            makePooledInputGradient(
                gradient(first, of: batch, worker: worker), winners + first * planned.output.count, to: dx,
                worker: worker)
        case .direct:
            for image in 0..<count {
                convolve(
                    &back, from + image * gradientMap.count, shared(scratch.flipped), nil,
                    dx + image * stride,
                    rows: 0..<input.height, relu: false)
            }
        case .winograd:
            convolveByWinograd(
                &back, from, stride: gradientMap.count, shared(scratch.flippedTransformed), nil, Memory(dx),
                stride: stride, Number.element, nil,
                tiles: 0..<count * Self.tiles(input, input, kernel: convolution.kernel, pool: false),
                relu: false, pool: false,
                worker: worker)
        case .smallMap: return
        }
        if isConverted {
            Number.element.load(
                dx, to: target.assumingMemoryBound(to: Float.self), count: input.count, context.mixedKernels)
        }
    }

    /// One image's gradient before ReLU and pool, at full resolution.
    /// - Parameter map: how it is to lie.
    func expand(_ image: Int, of batch: Batch, to dy: Numbers, _ map: vgg_map, worker: Int) {
        let output = planned.output
        let gradient = gradient(image, of: batch, worker: worker)
        if let normalization {
            return normalization.makeGradient(
                z: batch.z(image, worker), gradient,
                winners: batch.winners.map { $0 + image * output.count }, to: dy, map)
        }
        var map = map
        if pool, let winners = batch.winners {
            return unpool(
                gradient, winners + image * output.count, height: output.height, &map, to: dy)
        }
        var yMap = output.map
        let y =
            relu
            ? self.output(batch.y, image: image, rows: 0..<output.height, &yMap, worker: worker) : nil
        mask(gradient, &yMap, y, &map, to: dy)
    }

    /// Some rows of an image's output as the kernels read them.
    /// - Parameter map: of the output; becomes that of the numbers.
    func output(
        _ y: Memory, image: Int, rows: Range<Int>, _ map: inout vgg_map, worker: Int
    ) -> Numbers {
        let output = planned.output
        let first = image * output.imageStride + output.interior + rows.lowerBound * output.rowStride
        let y = y + first * output.element.size
        guard output.element != Number.element else { return y.assumingMemoryBound(to: Number.self) }
        let values: Numbers = self.worker(worker, scratch.output)
        for row in 0..<rows.count {
            Number.element.store(
                y.assumingMemoryBound(to: Float.self) + row * output.rowStride,
                to: Memory(values + row * output.plain.rowStride), count: output.plain.rowStride,
                context.mixedKernels)
        }
        map.row = output.plain.rowStride
        return values
    }
}
