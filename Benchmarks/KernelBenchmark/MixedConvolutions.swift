import CVGGKernels

var mixedConvolutionCases: [Case] {
    (Layer.first + Layer.slim + Layer.wide).flatMap(directCases)
        + (Layer.slim + Layer.wide).flatMap(packingCases)
}

private func directCases(_ layer: Layer) -> [Case] {
    let weights = vgg_bf16_weights_count(layer.inputs, layer.outputs, 3)
    func forward(pooled: Bool) -> () -> Void {
        let (x, y, bias) = (bf16s(layer.inputCount), bf16s(layer.outputCount), floats(layer.outputs))
        let (w, won) = (bf16s(weights), winners(layer.outputCount / 4))
        var shape = layer.shape(pooled: pooled)
        guard pooled else { return { mixed.bf16_convolution(&shape, x, w, bias, y, 0, layer.size, 1) } }
        return { mixed.bf16_convolution_relu_pool(&shape, x, w, bias, y, won, 0, layer.size / 2) }
    }
    func winograd(pool: Bool) -> () -> Void {
        let (x, y, bias) = (bf16s(layer.inputCount), bf16s(layer.outputCount), floats(layer.outputs))
        let u = bf16s(vgg_bf16_winograd_weights_count(layer.inputs, layer.outputs))
        let scratch = floats(vgg_bf16_winograd_scratch(layer.inputs))
        let tiles = (pool ? layer.size / 2 : (layer.size + 1) / 2)
        let won = winners(layer.outputCount / 4)
        var shape = layer.shape(pooled: pool)
        return {
            mixed.bf16_winograd_convolution(
                &shape, 0, x, u, bias, 0, y, nil, won, scratch, 0, tiles * tiles, 1, pool ? 1 : 0)
        }
    }
    var rows = [
        layer.row("bf16_convolution") { forward(pooled: false) },
        layer.row("bf16_convolution_relu_pool") { forward(pooled: true) },
        layer.row("bf16_weight_gradient") {
            var shape = layer.shape()
            let (x, dy) = (bf16s(layer.inputCount), bf16s(layer.outputCount))
            let (dw, db) = (floats(layer.weightCount), floats(layer.panels * 16))
            let scratch = bf16s(vgg_bf16_weight_gradient_scratch(&shape))
            return { mixed.bf16_weight_gradient(&shape, x, dy, dw, db, scratch) }
        },
        layer.row("bf16_pooled_weight_gradient") {
            var shape = layer.shape(pooled: true)
            let (x, g) = (bf16s(layer.inputCount), bf16s(layer.outputCount / 4))
            let (dw, db) = (floats(layer.weightCount), floats(layer.panels * 16))
            let scratch = bf16s(vgg_bf16_pooled_weight_gradient_scratch(&shape))
            let won = winners(layer.outputCount / 4)
            return { mixed.bf16_pooled_weight_gradient(&shape, x, g, won, dw, db, scratch) }
        },
    ]
    // The first layer's input needs no gradient.
    guard layer.inputs >= 16 else { return rows }
    rows += [
        layer.row("bf16_winograd_convolution") { winograd(pool: false) },
        Case(
            kernel: "bf16_winograd_convolution", shape: layer.text + ", pooled",
            work: .operations(layer.operations)
        ) { winograd(pool: true) },
        layer.row("bf16_pooled_input_gradient") {
            var shape = layer.shape()
            shape.x_row = layer.size * layer.inputs
            let (g, dx) = (bf16s(layer.outputCount / 4), bf16s(layer.inputCount))
            let w = bf16s(vgg_bf16_pooled_weights_count(layer.inputs, layer.outputs))
            let scratch = floats(vgg_bf16_pooled_input_gradient_scratch(&shape))
            let won = winners(layer.outputCount / 4)
            return { mixed.bf16_pooled_input_gradient(&shape, g, won, w, dx, scratch) }
        },
    ]
    return rows
}

/// Weights as the kernels want them: made once a step of training.
private func packingCases(_ layer: Layer) -> [Case] {
    let inputPanels = (layer.inputs + 15) / 16
    func row(
        _ kernel: String, _ count: Int,
        _ pack: @escaping (UnsafeMutablePointer<Float>, UnsafeMutablePointer<UInt16>) -> Void
    ) -> Case {
        Case(
            kernel: kernel, shape: layer.text, work: .bytes(Double(4 * layer.weightCount + 2 * count))
        ) {
            let (weights, packed) = (floats(layer.weightCount), bf16s(count))
            return { pack(weights, packed) }
        }
    }
    return [
        row("bf16_pack_weights", vgg_bf16_weights_count(layer.inputs, layer.outputs, 3)) {
            mixed.bf16_pack_weights($0, $1, layer.inputs, 3, 0, layer.panels)
        },
        row("bf16_pack_flipped_weights", vgg_bf16_weights_count(layer.outputs, layer.inputs, 3)) {
            mixed.bf16_pack_flipped_weights($0, $1, layer.inputs, layer.outputs, 3, 0, inputPanels)
        },
        row("bf16_pack_pooled_weights", vgg_bf16_pooled_weights_count(layer.inputs, layer.outputs)) {
            mixed.bf16_pack_pooled_weights($0, $1, layer.inputs, layer.outputs, 0, inputPanels)
        },
        row("bf16_winograd_weights", vgg_bf16_winograd_weights_count(layer.inputs, layer.outputs)) {
            mixed.bf16_winograd_weights($0, $1, layer.inputs, 0, layer.panels)
        },
    ]
}
