import CVGGKernels

/// Batch norm, ReLU and 2×2 max pool of the same map, in either format.
private func normCases(
    _ row: (String, Int, @escaping () -> () -> Void) -> Case, channels: Int, size: Int
) -> [Case] {
    let count = channels * size * size
    let pooled = vgg_map(
        height: size / 2, width: size / 2, channels: channels, row: size / 2 * channels, pixel: channels)
    let full = vgg_map(height: size, width: size, channels: channels, row: size * channels, pixel: channels)
    func norm() -> vgg_norm {
        let terms = UnsafePointer(floats(channels))
        return vgg_norm(
            height: size, width: size, channels: channels, relu: 1, pool: 1, scale: terms, shift: terms,
            mean: terms, gradient_factor: terms, z_factor: terms, constant: terms)
    }
    func sums() -> UnsafeMutablePointer<Double> {
        let sums = UnsafeMutablePointer<Double>.allocate(capacity: 2 * channels)
        sums.initialize(repeating: 0, count: 2 * channels)
        return sums
    }
    return [
        row("channel_moments", 4) {
            let (z, sums) = (floats(count), sums())
            return { kernels.channel_moments(z, size * size, channels, 0, sums, sums + channels) }
        },
        row("normalize", 5) {
            let (z, y, won) = (floats(count), floats(count / 4), winners(count / 4))
            var (norm, map) = (norm(), pooled)
            return { kernels.normalize(&norm, z, &map, y, won) }
        },
        row("norm_sums", 5) {
            let (z, g, won, sums) = (floats(count), floats(count / 4), winners(count / 4), sums())
            var norm = norm()
            return { kernels.norm_sums(&norm, z, g, won, sums, sums + channels) }
        },
        row("norm_gradient", 9) {
            let (z, g, won, dz) = (floats(count), floats(count / 4), winners(count / 4), floats(count))
            var (norm, map) = (norm(), full)
            return { kernels.norm_gradient(&norm, z, g, won, &map, dz) }
        },
        row("bf16_channel_moments", 2) {
            let (z, sums) = (bf16s(count), sums())
            return { mixed.bf16_channel_moments(z, size * size, channels, 0, sums, sums + channels) }
        },
        row("bf16_normalize", 3) {
            let (z, y, won) = (bf16s(count), bf16s(count / 4), winners(count / 4))
            var (norm, map) = (norm(), pooled)
            return { mixed.bf16_normalize(&norm, z, &map, y, won) }
        },
        row("bf16_norm_sums", 3) {
            let (z, g, won, sums) = (bf16s(count), bf16s(count / 4), winners(count / 4), sums())
            var norm = norm()
            return { mixed.bf16_norm_sums(&norm, z, g, won, sums, sums + channels) }
        },
        row("bf16_norm_gradient", 5) {
            let (z, g, won, dz) = (bf16s(count), bf16s(count / 4), winners(count / 4), bf16s(count))
            var (norm, map) = (norm(), full)
            return { mixed.bf16_norm_gradient(&norm, z, g, won, &map, dz) }
        },
    ]
}

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
        row("update", bytes: 12) {
            let (w, g) = (floats(count), floats(count))
            var sgd = vgg_update()
            return { kernels.update(&sgd, w, g, 0, count) }
        },
        row("update, Adam and average", bytes: 36) {
            let (w, g) = (floats(count), floats(count))
            var adam = vgg_update()
            (adam.momentum, adam.squares, adam.average) = (floats(count), floats(count), floats(count))
            (adam.shrink, adam.epsilon) = (1, 1)
            for index in 0..<count { adam.squares[index] = 1 }
            return { kernels.update(&adam, w, g, 0, count) }
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
    return single + half + normCases({ row($0, bytes: $1, $2) }, channels: channels, size: size)
}
