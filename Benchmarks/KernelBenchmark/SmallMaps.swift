import CVGGKernels

/// Convolutions of small maps, of a batch of 128 images: transforms and products.
var smallMapCases: [Case] {
    [SmallLayer(512, 4), SmallLayer(256, 3), SmallLayer(512, 2), SmallLayer(512, 1)].flatMap(\.cases)
}

/// As many input as output channels.
private struct SmallLayer {
    let channels, side: Int
    let images = 128

    init(_ channels: Int, _ side: Int) { (self.channels, self.side) = (channels, side) }

    var layer: Layer { Layer(channels, channels, side) }
    var panels: Int { channels / 16 }
    var products: Int { vgg_small_map_products(side) }
    var row: Int { vgg_small_map_row(channels) }
    var matrix: Int { vgg_small_map_rows(images, channels) }
    var weightMatrix: Int { vgg_small_map_matrix(channels) }
    var weights: Int { panels * products * weightMatrix }
    /// The map with its border is as far from the next one as in a plan.
    var image: Int { layer.inputCount + 16 }

    var map: vgg_small_map {
        vgg_small_map(
            side: side, in_channels: channels, out_channels: channels, x_row: (side + 2) * channels,
            y_row: side * channels)
    }

    func transform(_ kernel: String, numbers: Int, _ prepare: @escaping () -> () -> Void) -> Case {
        Case(
            kernel: kernel, shape: layer.text + ", 128 images", work: .bytes(4 * Double(numbers)),
            prepare: prepare)
    }

    func pass(_ kernel: String, _ text: String, _ prepare: @escaping () -> () -> Void) -> Case {
        Case(
            kernel: kernel, shape: layer.text + text, work: .operations(Double(images) * layer.operations),
            prepare: prepare)
    }

    var cases: [Case] {
        let plain = images * layer.outputCount
        return [
            transform("small_map_weights", numbers: layer.weightCount + weights) {
                let (w, u) = (floats(layer.weightCount), floats(weights))
                var map = map
                return { kernels.small_map_weights(&map, w, u, 0, panels) }
            },
            transform("small_map_inputs", numbers: plain + products * matrix) {
                let (x, v) = (floats(images * image), floats(products * matrix))
                var map = map
                return {
                    for index in 0..<images {
                        kernels.small_map_inputs(&map, x + index * image, v + index * row, matrix)
                    }
                }
            },
            transform("small_map_outputs", numbers: plain + products * matrix) {
                let (m, y, bias) = (floats(products * matrix), floats(plain), floats(channels))
                var map = map
                return {
                    for index in 0..<images {
                        kernels.small_map_outputs(
                            &map, m + index * row, matrix, bias, y + index * layer.outputCount, nil, 0, 1)
                    }
                }
            },
            transform("small_map_gradients", numbers: plain + products * matrix) {
                let (dy, d) = (floats(plain), floats(products * matrix))
                var map = map
                return {
                    for index in 0..<images {
                        kernels.small_map_gradients(
                            &map, dy + index * layer.outputCount, d + index * row, matrix)
                    }
                }
            },
            transform("small_map_input_gradients", numbers: plain + products * matrix) {
                let (m, dx) = (floats(products * matrix), floats(plain))
                var map = map
                return {
                    for index in 0..<images {
                        kernels.small_map_input_gradients(
                            &map, m + index * row, matrix, dx + index * layer.outputCount)
                    }
                }
            },
            pass("small_map_weight_gradient", ", 128 images") {
                let (x, dy) = (floats(images * image), floats(plain))
                let (dw, scratch) = (floats(layer.weightCount), floats(vgg_small_map_scratch()))
                let leaves = leaves(images)
                var map = map
                return {
                    kernels.small_map_weight_gradient(
                        &map, image, x, dy, leaves.baseAddress, leaves.count, scratch, dw, 0, panels, 0,
                        channels)
                }
            },
            pass("product", ", outputs") {
                let (v, u, m) = (floats(products * matrix), floats(weights), floats(products * matrix))
                return {
                    for index in 0..<products {
                        for start in stride(from: 0, to: channels, by: 256) {
                            var product = vgg_product()
                            (product.a, product.a_row, product.a_inner) = (
                                UnsafePointer(v + index * matrix + start), row, 1
                            )
                            product.b = UnsafePointer(u + index * weightMatrix + start * 16)
                            (product.b_panel, product.b_inner) = (products * weightMatrix, 16)
                            (product.c, product.c_row, product.c_panel) = (m + index * matrix, row, 16)
                            (product.rows, product.columns) = (images, channels)
                            (product.outer, product.inner) = (1, 256)
                            product.accumulate = start > 0 ? 1 : 0
                            kernels.product(&product)
                        }
                    }
                }
            },
            pass("product", ", gradients") {
                let (d, u, m) = (floats(products * matrix), floats(weights), floats(products * matrix))
                return {
                    for index in 0..<products {
                        for first in stride(from: 0, to: channels, by: 60) {
                            for start in stride(from: 0, to: channels, by: 256) {
                                var product = vgg_product()
                                product.a = UnsafePointer(
                                    u + (start / 16 * products + index) * weightMatrix + first * 16)
                                (product.a_row, product.a_outer, product.a_inner) = (
                                    16, products * weightMatrix, 1
                                )
                                product.b = UnsafePointer(d + (index * images * channels + start * 16))
                                (product.b_panel, product.b_outer, product.b_inner) = (
                                    channels * 16, 256, 16
                                )
                                product.c = m + (index * channels + first) * images
                                (product.c_row, product.c_panel) = (images, 16)
                                (product.rows, product.columns) = (min(60, channels - first), images)
                                (product.outer, product.inner) = (16, 16)
                                product.accumulate = start > 0 ? 1 : 0
                                kernels.product(&product)
                            }
                        }
                    }
                }
            },
        ]
    }
}
