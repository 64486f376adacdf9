import CVGGKernels

/// A 3×3 convolution with padding 1 on one image, and its memory.
struct Layer {
    let inputs, outputs, size: Int

    /// The chapter's slim VGG-11, and VGG-16.
    static let slim = [Layer(16, 32, 112), Layer(64, 64, 56), Layer(128, 128, 28), Layer(128, 128, 14)]
    static let wide = [Layer(64, 64, 224), Layer(256, 256, 56), Layer(512, 512, 28), Layer(512, 512, 14)]
    static let first = [Layer(1, 16, 224), Layer(3, 64, 224)]

    init(_ inputs: Int, _ outputs: Int, _ size: Int) {
        (self.inputs, self.outputs, self.size) = (inputs, outputs, size)
    }

    var text: String { "\(inputs)→\(outputs) at \(size)" }
    var operations: Double { 2 * Double(size * size * 9 * inputs * outputs) }
    var panels: Int { (outputs + 15) / 16 }
    var inputCount: Int { (size + 2) * (size + 2) * inputs }
    var outputCount: Int { size * size * outputs }
    var weightCount: Int { panels * 16 * 9 * inputs }
    var tiles: Int { ((size + 3) / 4) * ((size + 3) / 4) }
    var pooledTiles: Int { ((size / 2 + 1) / 2) * ((size / 2 + 1) / 2) }

    /// The output is the full map, or with `pooled` the map after a 2×2 pool.
    func shape(pooled: Bool = false) -> vgg_convolution {
        vgg_convolution(
            in_channels: inputs, out_channels: outputs, kernel: 3, stride: 1, out_height: size,
            out_width: size,
            x_row: (size + 2) * inputs, y_row: (pooled ? size / 2 : size) * outputs, y_pixel: outputs)
    }

    /// A case that counts as one convolution.
    func row(_ kernel: String, _ prepare: @escaping () -> () -> Void) -> Case {
        Case(kernel: kernel, shape: text, work: .operations(operations), prepare: prepare)
    }
}

var convolutionCases: [Case] {
    let direct = (Layer.first + Layer.slim + Layer.wide).flatMap { layer -> [Case] in
        [
            layer.row("convolution") {
                let (x, w, y) = (
                    floats(layer.inputCount), floats(layer.weightCount), floats(layer.outputCount)
                )
                let bias = floats(layer.outputs)
                var shape = layer.shape()
                return { kernels.convolution(&shape, x, w, bias, y, 0, layer.size, 1) }
            },
            layer.row("convolution_relu_pool") {
                let (x, w, y) = (
                    floats(layer.inputCount), floats(layer.weightCount), floats(layer.outputCount)
                )
                let (bias, won) = (floats(layer.outputs), winners(layer.outputCount / 4))
                var shape = layer.shape(pooled: true)
                return { kernels.convolution_relu_pool(&shape, x, w, bias, y, won, 0, layer.size / 2) }
            },
            layer.row("convolution_weight_gradient") {
                let (x, dy) = (floats(layer.inputCount), floats(layer.outputCount))
                let (dw, db) = (floats(layer.weightCount), floats(layer.panels * 16))
                var shape = layer.shape()
                return { kernels.convolution_weight_gradient(&shape, x, dy, dw, db) }
            },
        ]
    }
    let pooled = Layer.first.map { layer in
        layer.row("pooled_weight_gradient") {
            let (x, g) = (floats(layer.inputCount), floats(layer.outputCount / 4))
            let (dw, db, won) = (
                floats(layer.weightCount), floats(layer.panels * 16), winners(layer.outputCount / 4)
            )
            var shape = layer.shape(pooled: true)
            return { kernels.pooled_weight_gradient(&shape, x, g, won, dw, db) }
        }
    }
    return direct + pooled + (Layer.slim + Layer.wide).flatMap(winogradCases)
}

/// Winograd's F(4×4, 3×3) in single precision.
private func winogradCases(_ layer: Layer) -> [Case] {
    let transformed = vgg_winograd_weights_count(layer.inputs, layer.outputs)
    func forward(pooled: Bool) -> () -> Void {
        let (x, y, bias) = (floats(layer.inputCount), floats(layer.outputCount), floats(layer.outputs))
        let (u, scratch) = (floats(transformed), floats(vgg_winograd_scratch(layer.inputs)))
        let won = winners(layer.outputCount / 4)
        var shape = layer.shape(pooled: pooled)
        guard pooled else {
            return { kernels.winograd_convolution(&shape, 0, x, u, bias, 0, y, scratch, 0, layer.tiles, 1) }
        }
        return {
            kernels.winograd_convolution_relu_pool(
                &shape, 0, x, u, bias, 0, y, won, scratch, 0, layer.pooledTiles)
        }
    }
    func gradient(pooled: Bool) -> () -> Void {
        let (x, g) = (floats(layer.inputCount), floats(layer.outputCount))
        let scratch = floats(vgg_winograd_gradient_scratch(layer.inputs))
        var target = vgg_winograd_target(
            panel_begin: 0, panel_end: layer.panels, sums: floats(transformed), db: floats(layer.panels * 16),
            start: 1, dw: floats(layer.weightCount), add: 0)
        let won = winners(layer.outputCount / 4)
        var shape = layer.shape()
        guard pooled else {
            return {
                kernels.winograd_weight_gradient(&shape, 0, x, 0, g, &target, scratch, 0, layer.tiles)
            }
        }
        return {
            kernels.winograd_pooled_weight_gradient(
                &shape, 0, x, g, won, &target, scratch, 0, layer.pooledTiles)
        }
    }
    return [
        layer.row("winograd_convolution") { forward(pooled: false) },
        layer.row("winograd_convolution_relu_pool") { forward(pooled: true) },
        layer.row("winograd_weight_gradient") { gradient(pooled: false) },
        layer.row("winograd_pooled_weight_gradient") { gradient(pooled: true) },
        Case(
            kernel: "winograd_weights", shape: layer.text,
            work: .bytes(4 * Double(layer.weightCount + transformed))
        ) {
            let (w, u) = (floats(layer.weightCount), floats(transformed))
            return { kernels.winograd_weights(w, u, layer.inputs, 0, layer.panels) }
        },
        Case(kernel: "flip_weights", shape: layer.text, work: .bytes(8 * Double(layer.weightCount))) {
            let (w, flipped) = (floats(layer.weightCount), floats(layer.weightCount))
            return {
                kernels.flip_weights(w, flipped, layer.inputs, layer.outputs, 3, 0, (layer.inputs + 15) / 16)
            }
        },
    ]
}
