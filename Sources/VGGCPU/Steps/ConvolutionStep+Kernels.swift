import CVGGKernels
import VGGEngine
import VGGModel

/// The numbers that a step's kernels read: 32-bit floats, or 16-bit ones in mixed precision, where sums and gradients of
/// weights are 32-bit floats too.
protocol Arithmetic: BitwiseCopyable, ExpressibleByIntegerLiteral {
    static var element: Element { get }
}

extension Float: Arithmetic {
    static var element: Element { .float32 }
}

extension UInt16: Arithmetic {
    static var element: Element { .bfloat16 }
}

/// A step's numbers as the kernels of single precision take them, where it is known to be that.
func floats<Number: Arithmetic>(_ numbers: UnsafeMutablePointer<Number>) -> Floats {
    Memory(numbers).assumingMemoryBound(to: Float.self)
}

/// The same as the kernels of mixed precision take them.
func bf16s<Number: Arithmetic>(_ numbers: UnsafeMutablePointer<Number>) -> BF16s {
    Memory(numbers).assumingMemoryBound(to: UInt16.self)
}

/// The kernels of either arithmetic. Which it is, the compiler knows.
extension ConvolutionStep {
    static var isMixed: Bool { Number.element == .bfloat16 }

    /// Whether the kernels of Winograd's algorithm are those for 5×5.
    private var isFive: Bool { convolution.kernel == 5 }

    /// The weights as an algorithm's kernels read them: in single precision direct ones read the parameters themselves.
    func weights(for algorithm: ConvolutionChoice.Algorithm) -> Numbers {
        let weights = parameters.values[0]
        let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
        if algorithm == .winograd {
            return parameters.copies[1].current(context.version) {
                transform(weights, inputs: inputs, outputs: outputs, to: $0)
            }
        }
        if let small, algorithm == .smallMap {
            return parameters.copies[1].current(context.version) { transformed in
                context.workers.run(over: outputs.panels, grain: 1) { panels, _ in
                    var map = small.kernelMap
                    context.kernels.small_map_weights(
                        &map, weights, floats(transformed), panels.lowerBound, panels.upperBound)
                }
            }
        }
        guard Self.isMixed else { return Memory(weights).assumingMemoryBound(to: Number.self) }
        return parameters.copies[0].current(context.version) { packed in
            context.workers.run(over: outputs.panels, grain: 1) { panels, _ in
                context.mixedKernels.bf16_pack_weights(
                    weights, bf16s(packed), inputs, convolution.kernel, panels.lowerBound, panels.upperBound)
            }
        }
    }

    private func transform(_ weights: Floats, inputs: Int, outputs: Int, to transformed: Numbers) {
        context.workers.run(over: outputs.panels, grain: 1) { panels, _ in
            if Self.isMixed {
                context.mixedKernels.bf16_winograd_weights(
                    weights, bf16s(transformed), inputs, panels.lowerBound, panels.upperBound)
            } else if isFive {
                context.kernels.five_winograd_weights(
                    weights, floats(transformed), inputs, panels.lowerBound, panels.upperBound)
            } else {
                context.kernels.winograd_weights(
                    weights, floats(transformed), inputs, panels.lowerBound, panels.upperBound)
            }
        }
    }

    /// Makes the weights for the gradient of the input in shared scratch memory.
    func flip(for algorithm: ConvolutionChoice.Algorithm) {
        let weights = parameters.values[0]
        let flipped: Numbers = shared(scratch.flipped)
        let (inputs, outputs, kernel) = (
            convolution.inChannels, convolution.outChannels, convolution.kernel
        )
        context.workers.run(over: inputs.panels, grain: 1) { panels, _ in
            let (first, last) = (panels.lowerBound, panels.upperBound)
            if !Self.isMixed || algorithm == .winograd {
                context.kernels.flip_weights(weights, floats(flipped), inputs, outputs, kernel, first, last)
            } else if algorithm == .pooled {
                context.mixedKernels.bf16_pack_pooled_weights(
                    weights, bf16s(flipped), inputs, outputs, first, last)
            } else {
                context.mixedKernels.bf16_pack_flipped_weights(
                    weights, bf16s(flipped), inputs, outputs, kernel, first, last)
            }
        }
        if algorithm == .winograd {
            transform(
                floats(flipped), inputs: outputs, outputs: inputs, to: shared(scratch.flippedTransformed))
        }
    }

    func convolve(
        _ shape: inout vgg_convolution, _ x: Numbers, _ weights: Numbers, _ bias: Floats?, _ y: Numbers,
        rows: Range<Int>, relu: Bool
    ) {
        let (first, last, relu) = (rows.lowerBound, rows.upperBound, Int32(relu ? 1 : 0))
        if Self.isMixed {
            context.mixedKernels.bf16_convolution(
                &shape, bf16s(x), bf16s(weights), bias, bf16s(y), first, last, relu)
        } else {
            context.kernels.convolution(
                &shape, floats(x), floats(weights), bias, floats(y), first, last, relu)
        }
    }

    func convolveAndPool(
        _ shape: inout vgg_convolution, _ x: Numbers, _ weights: Numbers, _ y: Numbers,
        _ winners: UnsafeMutablePointer<UInt8>?, rows: Range<Int>
    ) {
        let (bias, first, last) = (parameters.values[1], rows.lowerBound, rows.upperBound)
        if Self.isMixed {
            context.mixedKernels.bf16_convolution_relu_pool(
                &shape, bf16s(x), bf16s(weights), bias, bf16s(y), winners, first, last)
        } else {
            context.kernels.convolution_relu_pool(
                &shape, floats(x), floats(weights), bias, floats(y), winners, first, last)
        }
    }

    /// - Parameter y: the first pixel inside the border, in numbers of `element`.
    func convolveByWinograd(
        _ shape: inout vgg_convolution, _ x: Numbers, stride: Int, _ weights: Numbers, _ bias: Floats?,
        _ y: Memory, stride yStride: Int, _ element: Element, _ winners: UnsafeMutablePointer<UInt8>?,
        tiles: Range<Int>, relu: Bool, pool: Bool, worker: Int
    ) {
        let scratch: Floats = self.worker(worker, scratch.tiles)
        let (first, last, relu) = (tiles.lowerBound, tiles.upperBound, Int32(relu ? 1 : 0))
        let fp32 = element == .float32 ? y.assumingMemoryBound(to: Float.self) : nil
        if Self.isMixed {
            context.mixedKernels.bf16_winograd_convolution(
                &shape, stride, bf16s(x), bf16s(weights), bias, yStride,
                fp32 == nil ? y.assumingMemoryBound(to: UInt16.self) : nil, fp32, winners, scratch, first,
                last,
                relu, pool ? 1 : 0)
        } else if pool {
            context.kernels.winograd_convolution_relu_pool(
                &shape, stride, floats(x), floats(weights), bias, yStride, fp32, winners, scratch, first, last
            )
        } else if isFive {
            context.kernels.five_winograd_convolution(
                &shape, stride, floats(x), floats(weights), bias, yStride, fp32, scratch, first, last, relu)
        } else {
            context.kernels.winograd_convolution(
                &shape, stride, floats(x), floats(weights), bias, yStride, fp32, scratch, first, last, relu)
        }
    }

    /// dy = gradient where y > 0, everywhere where y is nil.
    func mask(
        _ gradient: Numbers, _ yMap: inout vgg_map, _ y: Numbers?, _ map: inout vgg_map, to dy: Numbers
    ) {
        if Self.isMixed {
            context.mixedKernels.bf16_mask_gradient(&yMap, y.map(bf16s), bf16s(gradient), &map, bf16s(dy))
        } else {
            context.kernels.mask_gradient(&yMap, y.map(floats), floats(gradient), &map, floats(dy))
        }
    }

    /// - Parameter height: rows of the pooled map.
    func unpool(
        _ gradient: Numbers, _ winners: UnsafePointer<UInt8>, height: Int, _ map: inout vgg_map,
        to dy: Numbers
    ) {
        let width = planned.output.width
        if Self.isMixed {
            context.mixedKernels.bf16_unpool_gradient(
                bf16s(gradient), winners, height, width, &map, bf16s(dy))
        } else {
            context.kernels.unpool_gradient(floats(gradient), winners, height, width, &map, floats(dy))
        }
    }

    /// Adds the gradients of `count` images from their maps, borders and all.
    func addWeightGradient(
        _ shape: inout vgg_convolution, _ x: Numbers, _ maps: Numbers, count: Int, to sums: LeafSums
    ) {
        let stride = planned.input.imageStride
        if let transformed = sums.transformed {
            var target = sums.target(transformed)
            let tiles = count * full.tiles(kernel: convolution.kernel)
            let x = singles(x, count: count * stride, copy: sums.inputs)
            let dy =
                singles(maps, count: count * gradientMap.count, copy: sums.maps) + gradientMap.interior
            if isFive {
                context.kernels.five_winograd_weight_gradient(
                    &shape, stride, x, gradientMap.count, dy, &target, sums.tiles, 0, tiles)
            } else {
                context.kernels.winograd_weight_gradient(
                    &shape, stride, x, gradientMap.count, dy, &target, sums.tiles, 0, tiles)
            }
            return
        }
        let channel = narrow(&shape, to: sums.panels)
        let (dy, bias) = (maps + gradientMap.interior + channel, sums.bias + channel)
        if Self.isMixed {
            for image in 0..<count {
                context.mixedKernels.bf16_weight_gradient(
                    &shape, bf16s(x) + image * stride, bf16s(dy) + image * gradientMap.count, sums.weights,
                    bias,
                    bf16s(sums.kernel))
            }
        } else {
            for image in 0..<count {
                context.kernels.convolution_weight_gradient(
                    &shape, floats(x) + image * stride, floats(dy) + image * gradientMap.count, sums.weights,
                    bias)
            }
        }
    }

    /// Numbers as the kernels of single precision read them.
    private func singles(_ numbers: Numbers, count: Int, copy: Floats) -> Floats {
        guard Self.isMixed else { return floats(numbers) }
        Number.element.load(numbers, to: copy, count: count, context.mixedKernels)
        return copy
    }

    /// Leaves some panels of output channels.
    /// - Returns: the first channel.
    private func narrow(_ shape: inout vgg_convolution, to panels: Range<Int>) -> Int {
        let first = panels.lowerBound * panel
        shape.out_channels = min(convolution.outChannels, panels.upperBound * panel) - first
        return first
    }

    /// The same from pooled gradients and their winners; of one image but by Winograd's algorithm.
    func addPooledWeightGradient(
        _ shape: inout vgg_convolution, _ x: Numbers, _ gradient: Numbers, _ winners: UnsafePointer<UInt8>,
        count: Int, to sums: LeafSums
    ) {
        if let transformed = sums.transformed {
            var target = sums.target(transformed)
            context.kernels.winograd_pooled_weight_gradient(
                &shape, planned.input.imageStride, floats(x), floats(gradient), winners, &target, sums.tiles,
                0, count * full.pooledTiles)
            return
        }
        let channel = narrow(&shape, to: sums.panels)
        let (gradient, winners, bias) = (gradient + channel, winners + channel, sums.bias + channel)
        if Self.isMixed {
            context.mixedKernels.bf16_pooled_weight_gradient(
                &shape, bf16s(x), bf16s(gradient), winners, sums.weights, bias, bf16s(sums.kernel))
        } else {
            context.kernels.pooled_weight_gradient(
                &shape, floats(x), floats(gradient), winners, sums.weights, bias)
        }
    }

    /// The gradient of one image's input from the same, in mixed precision.
    func makePooledInputGradient(
        _ gradient: Numbers, _ winners: UnsafePointer<UInt8>, to dx: Numbers, worker: Int
    ) {
        var shape = convolution.shape(full, x: planned.input.plain)
        context.mixedKernels.bf16_pooled_input_gradient(
            &shape, bf16s(gradient), winners, shared(scratch.flipped), bf16s(dx),
            self.worker(worker, scratch.kernel))
    }
}
