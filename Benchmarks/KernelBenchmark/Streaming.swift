import CVGGKernels

/// Kernels that pass over memory: a map of 64 channels at 112×112, and as many plain numbers.
var streamingCases: [Case] {
    let (channels, size) = (64, 112)
    let count = channels * size * size
    func map(_ size: Int) -> vgg_map {
        vgg_map(height: size, width: size, channels: channels, row: size * channels, pixel: channels)
    }
    func row(_ kernel: String, bytes: Int, _ prepare: @escaping () -> () -> Void) -> Case {
        Case(
            kernel: kernel, shape: "\(channels) × \(size)×\(size)", work: .bytes(Double(bytes * count)),
            prepare: prepare)
    }
    let single: [Case] = [
        row("mask_gradient", bytes: 12) {
            let (y, g, dy) = (floats(count), floats(count), floats(count))
            var map = map(size)
            return { kernels.mask_gradient(&map, y, g, &map, dy) }
        },
        row("unpool_gradient", bytes: 5) {
            let (g, dy, won) = (floats(count / 4), floats(count), winners(count / 4))
            var map = map(size)
            return { kernels.unpool_gradient(g, won, size / 2, size / 2, &map, dy) }
        },
        row("transpose", bytes: 8) {
            let (x, y) = (floats(count), floats(count))
            return { kernels.transpose(x, channels, size * size, channels, y, size * size, size * size) }
        },
        row("channel_sums", bytes: 4) {
            let x = floats(count)
            let sums = UnsafeMutablePointer<Double>.allocate(capacity: channels)
            sums.initialize(repeating: 0, count: channels)
            return { kernels.channel_sums(x, size * size, channels, sums) }
        },
        row("channel_squares", bytes: 4) {
            let (x, mean) = (floats(count), floats(channels))
            let sums = UnsafeMutablePointer<Double>.allocate(capacity: channels)
            sums.initialize(repeating: 0, count: channels)
            return { kernels.channel_squares(x, size * size, channels, mean, sums) }
        },
        row("scale_shift", bytes: 8) {
            let (x, y, scale, shift) = (floats(count), floats(count), floats(channels), floats(channels))
            var map = map(size)
            return { kernels.scale_shift(&map, x, scale, shift, 1, &map, y) }
        },
        row("batch_norm_sums", bytes: 16) {
            let (y, x, g) = (floats(count), floats(count), floats(count))
            let (mean, inverse) = (floats(channels), floats(channels))
            let sums = UnsafeMutablePointer<Double>.allocate(capacity: 2 * channels)
            sums.initialize(repeating: 0, count: 2 * channels)
            var map = map(size)
            return { kernels.batch_norm_sums(&map, y, x, mean, inverse, g, sums, sums + channels) }
        },
        row("batch_norm_gradient", bytes: 12) {
            let (g, x, dx, terms) = (floats(count), floats(count), floats(count), floats(channels))
            return {
                kernels.batch_norm_gradient(
                    g, x, size * size, channels, terms, terms, terms, terms, terms, dx)
            }
        },
        row("sgd", bytes: 12) {
            let (w, g) = (floats(count), floats(count))
            var sgd = vgg_sgd(learning_rate: 0, momentum: 0, weight_decay: 0, nesterov: 0)
            return { kernels.sgd(&sgd, w, g, nil, count) }
        },
        row("sum_tree", bytes: 68) {
            let (parts, total) = (floats(16 * count), floats(count))
            let leaves = leaves(16)
            return { kernels.sum_tree(parts, count, leaves.baseAddress, leaves.count, total, count) }
        },
        row("add", bytes: 12) {
            let (x, y) = (floats(count), floats(count))
            return { kernels.add(x, y, count) }
        },
        row("relu", bytes: 8) {
            let (x, y) = (floats(count), floats(count))
            return { kernels.relu(x, y, count) }
        },
        row("relu_gradient", bytes: 12) {
            let (y, g) = (floats(count), floats(count))
            return { kernels.relu_gradient(y, g, count) }
        },
        row("dropout", bytes: 8) {
            let (x, y) = (floats(count), floats(count))
            return { kernels.dropout(x, y, count, 0, 1, 2, 3, 4, 1 << 31, 2) }
        },
    ]
    let half: [Case] = [
        row("bf16_from_float", bytes: 6) {
            let (x, y) = (floats(count), bf16s(count))
            return { mixed.bf16_from_float(x, y, count) }
        },
        row("bf16_to_float", bytes: 6) {
            let (x, y) = (bf16s(count), floats(count))
            return { mixed.bf16_to_float(x, y, count) }
        },
        row("bf16_mask_gradient", bytes: 6) {
            let (y, g, dy) = (bf16s(count), bf16s(count), bf16s(count))
            var map = map(size)
            return { mixed.bf16_mask_gradient(&map, y, g, &map, dy) }
        },
        row("bf16_unpool_gradient", bytes: 3) {
            let (g, dy, won) = (bf16s(count / 4), bf16s(count), winners(count / 4))
            var map = map(size)
            return { mixed.bf16_unpool_gradient(g, won, size / 2, size / 2, &map, dy) }
        },
        row("bf16_relu_gradient", bytes: 6) {
            let (y, g) = (bf16s(count), bf16s(count))
            return { mixed.bf16_relu_gradient(y, g, count) }
        },
        row("bf16_linear_transpose", bytes: 4) {
            let (x, y) = (bf16s(count), bf16s(count))
            let inputs = channels * 16
            var shape = linear(size * size / 16, inputs, 16, xRow: inputs, yRow: 16)
            return { mixed.bf16_linear_transpose(&shape, x, y, 0, inputs) }
        },
        row("bf16_linear_pair", bytes: 4) {
            let outputs = channels * 16
            let (dy, pairs, db) = (bf16s(count), bf16s(count), floats(outputs))
            var shape = linear(size * size / 16, 16, outputs, xRow: 16, yRow: outputs)
            return { mixed.bf16_linear_pair(&shape, dy, pairs, db, 0, outputs / 16) }
        },
    ]
    return single + half
}
