import CVGGKernels

/// The kernels of batch norm, ReLU and 2×2 max pool in one number format.
private struct NormKernels<Number> {
    typealias Numbers = UnsafeMutablePointer<Number>
    typealias Sums = UnsafeMutablePointer<Double>
    typealias Winners = UnsafeMutablePointer<UInt8>

    let prefix: String
    let numbers: (Int) -> Numbers
    let moments: (Numbers, _ rows: Int, _ channels: Int, _ before: Int, Sums, Sums) -> Void
    let normalize: (UnsafePointer<vgg_norm>, Numbers, UnsafePointer<vgg_map>, Numbers, Winners) -> Void
    let sums: (UnsafePointer<vgg_norm>, Numbers, Numbers, Winners, Sums, Sums) -> Void
    let gradient:
        (UnsafePointer<vgg_norm>, Numbers, Numbers, Winners, UnsafePointer<vgg_map>, Numbers) -> Void

    func cases(
        _ row: (String, Int, @escaping () -> () -> Void) -> Case, channels: Int, size: Int
    ) -> [Case] {
        let (count, bytes) = (channels * size * size, MemoryLayout<Number>.stride)
        let pooled = vgg_map(
            height: size / 2, width: size / 2, channels: channels, row: size / 2 * channels, pixel: channels)
        let full = vgg_map(
            height: size, width: size, channels: channels, row: size * channels, pixel: channels)
        func norm() -> vgg_norm {
            let terms = UnsafePointer(floats(channels))
            return vgg_norm(
                height: size, width: size, channels: channels, relu: 1, pool: 1, scale: terms, shift: terms,
                mean: terms, gradient_factor: terms, z_factor: terms, constant: terms)
        }
        func zeros() -> Sums {
            let sums = Sums.allocate(capacity: 2 * channels)
            sums.initialize(repeating: 0, count: 2 * channels)
            return sums
        }
        return [
            row("\(prefix)channel_moments", bytes) {
                let (z, sums) = (numbers(count), zeros())
                return { moments(z, size * size, channels, 0, sums, sums + channels) }
            },
            row("\(prefix)normalize", bytes + 1) {
                let (z, y, won) = (numbers(count), numbers(count / 4), winners(count / 4))
                var (norm, map) = (norm(), pooled)
                return { normalize(&norm, z, &map, y, won) }
            },
            row("\(prefix)norm_sums", bytes + 1) {
                let (z, g, won, total) = (numbers(count), numbers(count / 4), winners(count / 4), zeros())
                var norm = norm()
                return { sums(&norm, z, g, won, total, total + channels) }
            },
            row("\(prefix)norm_gradient", 2 * bytes + 1) {
                let (z, g, won) = (numbers(count), numbers(count / 4), winners(count / 4))
                let dz = numbers(count)
                var (norm, map) = (norm(), full)
                return { gradient(&norm, z, g, won, &map, dz) }
            },
        ]
    }
}

private var singleNorm: NormKernels<Float> {
    NormKernels(
        prefix: "", numbers: floats,
        moments: { kernels.channel_moments($0, $1, $2, $3, $4, $5) },
        normalize: { kernels.normalize($0, $1, $2, $3, $4) },
        sums: { kernels.norm_sums($0, $1, $2, $3, $4, $5) },
        gradient: { kernels.norm_gradient($0, $1, $2, $3, $4, $5) })
}
private var mixedNorm: NormKernels<UInt16> {
    NormKernels(
        prefix: "bf16_", numbers: bf16s,
        moments: { mixed.bf16_channel_moments($0, $1, $2, $3, $4, $5) },
        normalize: { mixed.bf16_normalize($0, $1, $2, $3, $4) },
        sums: { mixed.bf16_norm_sums($0, $1, $2, $3, $4, $5) },
        gradient: { mixed.bf16_norm_gradient($0, $1, $2, $3, $4, $5) })
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
    return single + half + singleNorm.cases(row, channels: channels, size: size)
        + mixedNorm.cases(row, channels: channels, size: size)
}
