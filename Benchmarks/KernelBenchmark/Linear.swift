import CVGGKernels

/// A linear layer of 4096 inputs and outputs.
var linearCases: [Case] {
    let (inputs, outputs, panels) = (4096, 4096, 256)
    return [1, 16, 128].flatMap { examples -> [Case] in
        let row = inputs + 32
        let operations = Case.Work.operations(2 * Double(examples * inputs * outputs))
        let text = "\(examples) × \(inputs) × \(outputs)"
        func shape() -> vgg_linear { linear(examples, inputs, outputs, xRow: row, yRow: row) }
        func forward(rounded isRounded: Bool) -> () -> Void {
            var shape = shape()
            let (x, y, bias) = (bf16s(examples * row), bf16s(examples * row), floats(outputs))
            let (w, scratch) = (floats(inputs * outputs), floats(vgg_bf16_linear_forward_scratch(&shape)))
            let rounded = isRounded ? bf16s(inputs * outputs) : nil
            return {
                mixed.bf16_linear_forward(&shape, x, w, rounded, bias, y, nil, scratch, 0, panels, 1)
            }
        }
        return [
            Case(kernel: "product", shape: text, work: operations) {
                let (x, y, w) = (floats(examples * row), floats(examples * row), floats(inputs * outputs))
                return {
                    for panel in stride(from: 0, to: panels, by: 2) {
                        for start in stride(from: 0, to: inputs, by: 512) {
                            var product = vgg_product()
                            (product.a, product.a_row, product.a_inner) = (UnsafePointer(x + start), row, 1)
                            product.b = UnsafePointer(w + (panel * inputs + start) * 16)
                            (product.b_panel, product.b_inner) = (inputs * 16, 16)
                            (product.c, product.c_row, product.c_panel) = (y + panel * 16, row, 16)
                            (product.rows, product.columns) = (examples, 32)
                            (product.outer, product.inner) = (1, 512)
                            product.accumulate = start > 0 ? 1 : 0
                            kernels.product(&product)
                        }
                    }
                }
            },
            Case(kernel: "product", shape: text + ", as a tree", work: operations) {
                let (x, dy, dw) = (floats(inputs * examples), floats(examples * 32), floats(1024 * 32))
                let leaves = leaves(examples)
                return {
                    for _ in stride(from: 0, to: panels, by: 2) {
                        for start in stride(from: 0, to: inputs, by: 1024) {
                            var product = vgg_product()
                            product.a = UnsafePointer(x + start * examples)
                            (product.a_row, product.a_inner) = (examples, 1)
                            (product.b, product.b_panel, product.b_inner) = (UnsafePointer(dy), 16, 32)
                            (product.c, product.c_row, product.c_panel) = (dw, 16, 1024 * 16)
                            (product.rows, product.columns) = (1024, 32)
                            (product.outer, product.inner) = (1, examples)
                            product.leaves = UnsafePointer(leaves.baseAddress)
                            product.leaf_count = leaves.count
                            kernels.product(&product)
                        }
                    }
                }
            },
            Case(kernel: "bf16_linear_forward", shape: text, work: operations) { forward(rounded: false) },
            Case(kernel: "bf16_linear_forward", shape: text + ", rounded", work: operations) {
                forward(rounded: true)
            },
            Case(
                kernel: "bf16_linear_backward", shape: text,
                work: .operations(4 * Double(examples * inputs * outputs))
            ) {
                var shape = shape()
                let even = (examples + 1) / 2 * 2
                let (transposed, pairs) = (bf16s(inputs * even), bf16s(outputs * even))
                let (dy, dx, w) = (bf16s(examples * row), bf16s(examples * row), floats(inputs * outputs))
                let scratch = floats(vgg_bf16_linear_backward_scratch(&shape))
                var sgd = vgg_update()
                return {
                    mixed.bf16_linear_backward(
                        &shape, transposed, dy, pairs, w, nil, &sgd, dx, scratch, 0, inputs)
                }
            },
        ]
    }
}
