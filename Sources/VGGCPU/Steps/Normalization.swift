import CVGGKernels
import VGGEngine
import VGGModel

/// Batch norm of a batch's plain maps, with the ReLU and the 2×2 max pool that may follow: by the batch's statistics in
/// training, by the running ones in inference (Ioffe & Szegedy 2015). A step of its own and the convolution that has it
/// fused are both made of it.
///
/// The maps z are read twice forward, for the statistics and to make y, and twice backward, for the sums over the batch and where
/// the gradient of z is wanted; each time image by image, so that who asks may keep them or make them again.
final class Normalization<Number: Arithmetic> {
    typealias Numbers = UnsafeMutablePointer<Number>
    /// What is normalised, of an image, for a worker.
    typealias Images = (_ image: Int, _ worker: Int) -> Numbers

    /// A number a channel that kernels read; rows of `coefficients`.
    private enum Coefficient: Int, CaseIterable {
        case scale, shift, mean, gradientFactor, zFactor, constant
    }

    private let norm: BatchNorm
    private let relu, pool: Bool
    private let height, width: Int
    /// Weight, bias, running mean and running variance.
    private let values: [Floats]
    /// Of weight and bias; none for inference.
    private let gradients: [Floats]
    private let context: StepContext
    private var coefficients: [Float]
    /// Of the last forward pass, for each channel; 1 / deviation.
    private var mean, inverse: [Double]

    /// - Parameters:
    ///   - map: of z, without a border.
    ///   - first: the first of the norm's tensors among the parameters.
    init(
        _ norm: BatchNorm, relu: Bool, pool: Bool, map: ActivationLayout, _ parameters: BoundParameters,
        from first: Int, _ context: StepContext
    ) {
        self.norm = norm
        self.relu = relu
        self.pool = pool
        (height, width) = (map.height, map.width)
        values = Array(parameters.values[first..<first + 4])
        gradients = Array(parameters.gradients.dropFirst(first).prefix(2))
        self.context = context
        coefficients = Array(
            repeating: 0, count: Coefficient.allCases.count * norm.channels.roundedUp(to: panel))
        mean = Array(repeating: 0, count: norm.channels)
        inverse = mean
    }

    /// Channels, filled up to whole panels.
    private var padded: Int { norm.channels.roundedUp(to: panel) }
    private var pixels: Int { height * width }

    private func set(_ coefficient: Coefficient, of channel: Int, _ value: Double) -> Double {
        let value = Float(value)
        coefficients[coefficient.rawValue * padded + channel] = value
        return Double(value)
    }

    /// Calls `body` with what the kernels want to know.
    private func withKernelNorm(_ body: (vgg_norm) -> Void) {
        coefficients.withUnsafeBufferPointer { numbers in
            guard let start = numbers.baseAddress else { return }
            func row(_ coefficient: Coefficient) -> UnsafePointer<Float> {
                start + coefficient.rawValue * padded
            }
            body(
                vgg_norm(
                    height: height, width: width, channels: norm.channels, relu: relu ? 1 : 0,
                    pool: pool ? 1 : 0, scale: row(.scale), shift: row(.shift), mean: row(.mean),
                    gradient_factor: row(.gradientFactor), z_factor: row(.zFactor),
                    constant: row(.constant)))
        }
    }

    // MARK: - Forward

    /// Sets what normalises the pass: of its batch, whose statistics the running ones follow, or the running ones.
    func prepare(_ pass: Pass, z: Images) {
        let variance = pass.isTraining ? measure(pass, z) : runningStatistics()
        for channel in 0..<norm.channels {
            inverse[channel] = 1 / (variance[channel] + Double(norm.epsilon)).squareRoot()
            let scale = set(.scale, of: channel, Double(values[0][channel]) * inverse[channel])
            _ = set(.shift, of: channel, Double(values[1][channel]) - mean[channel] * scale)
            _ = set(.mean, of: channel, mean[channel])
        }
    }

    private func runningStatistics() -> [Double] {
        mean = (0..<norm.channels).map { Double(values[2][$0]) }
        return (0..<norm.channels).map { Double(values[3][$0]) }
    }

    /// Sets `mean` and the running statistics.
    /// - Returns: the batch's (biased) variance.
    private func measure(_ pass: Pass, _ z: Images) -> [Double] {
        let (leaves, sum) = Self.leaves(pass.node)
        let first = pass.node.images.lowerBound
        var counts = leaves.map { $0.images.count * pixels }
        // A leaf's means, then its sums of squares about them.
        var moments = [Double](repeating: 0, count: leaves.count * 2 * padded)
        moments.withUnsafeMutableBufferPointer { moments in
            guard let moments = moments.baseAddress else { return }
            context.workers.run(leaves.count) { leaf, worker in
                let means = moments + leaf * 2 * padded
                for (place, image) in leaves[leaf].images.enumerated() {
                    measure(z(image - first, worker), before: place * pixels, means, means + padded)
                }
            }
            SumTree.forEachAddition(in: sum) { row, other in
                merge(moments + row * 2 * padded, counts[row], moments + other * 2 * padded, counts[other])
                counts[row] += counts[other]
            }
        }
        var elements = Double(counts[0])
        if let exchange = pass.exchange {
            var whole = Array(moments[0..<2 * padded]) + [elements]
            exchange.combine(&whole, of: pass.node) { first, second in
                let (count, other) = (first[2 * padded], second[2 * padded])
                first.withUnsafeMutableBufferPointer { first in
                    second.withUnsafeBufferPointer { second in
                        guard let first = first.baseAddress, let second = second.baseAddress else { return }
                        merge(first, Int(count), second, Int(other))
                    }
                }
                first[2 * padded] = count + other
            }
            moments.replaceSubrange(0..<2 * padded, with: whole[0..<2 * padded])
            elements = whole[2 * padded]
        }
        // The running variance is the unbiased one, as in PyTorch.
        let unbiased = elements > 1 ? elements - 1 : 1
        return (0..<norm.channels).map { channel in
            let squares = moments[padded + channel]
            mean[channel] = moments[channel]
            values[2][channel] += norm.momentum * (Float(mean[channel]) - values[2][channel])
            values[3][channel] += norm.momentum * (Float(squares / unbiased) - values[3][channel])
            return squares / elements
        }
    }

    /// Two parts' moments make the whole's (Chan, Golub & LeVeque 1979), in place of the first's.
    private func merge(
        _ first: UnsafeMutablePointer<Double>, _ count: Int, _ second: UnsafePointer<Double>, _ other: Int
    ) {
        let share = Double(other) / Double(count + other)
        let weight = Double(count) * share
        for channel in 0..<norm.channels {
            let difference = second[channel] - first[channel]
            first[channel] += difference * share
            first[channel + padded] += second[channel + padded] + difference * difference * weight
        }
    }

    /// The nodes of the tree of a batch's sums, each a task: an image in a batch of 128.
    static func leaves(_ node: SumTree) -> (nodes: [SumTree], sum: [SumTree.Leaf]) {
        let tree = node.cut(to: SumTree.mostLeaves)
        return tree.nodes(tree.leafCount)
    }

    /// Makes an image's y.
    func normalize(_ z: Numbers, to y: Numbers, _ map: vgg_map, _ winners: UnsafeMutablePointer<UInt8>?) {
        withKernelNorm { norm in
            var (norm, map) = (norm, map)
            if Number.element == .bfloat16 {
                context.mixedKernels.bf16_normalize(&norm, bf16s(z), &map, bf16s(y), winners)
            } else {
                context.kernels.normalize(&norm, floats(z), &map, floats(y), winners)
            }
        }
    }

    // MARK: - Backward

    /// Sets the gradients of weight and bias, and what makes that of z.
    /// - Parameter gradient: that of an image's y, plain.
    func sum(
        _ pass: Pass, z: Images, winners: UnsafePointer<UInt8>?, winnerStride: Int,
        gradient: (_ image: Int, _ worker: Int) -> Numbers
    ) {
        let (leaves, additions) = Self.leaves(pass.node)
        let first = pass.node.images.lowerBound
        var sums = [Double](repeating: 0, count: leaves.count * 2 * padded)
        sums.withUnsafeMutableBufferPointer { sums in
            guard let sums = sums.baseAddress else { return }
            withKernelNorm { norm in
                context.workers.run(leaves.count) { leaf, worker in
                    let part = sums + leaf * 2 * padded
                    for image in leaves[leaf].images {
                        let place = image - first
                        sum(
                            norm, z(place, worker), gradient(place, worker),
                            winners.map { $0 + place * winnerStride }, part, part + padded)
                    }
                }
            }
            SumTree.forEachAddition(in: additions) { row, other in
                for place in 0..<2 * padded {
                    sums[row * 2 * padded + place] += sums[other * 2 * padded + place]
                }
            }
        }
        var images = pass.count
        if let exchange = pass.exchange {
            var whole = Array(sums[0..<2 * padded])
            exchange.combine(&whole, of: pass.node) { first, second in
                for place in first.indices { first[place] += second[place] }
            }
            sums.replaceSubrange(0..<2 * padded, with: whole)
            images = pass.node.batch
        }
        // Of parts that are added up later the first has these sums, and the others what changes nothing: not even the sign of a
        // zero.
        let isAdded = pass.exchange != nil && pass.node.images.lowerBound > 0
        let elements = Double(images * pixels)
        for channel in 0..<norm.channels {
            let rounding = Double(coefficients[Coefficient.mean.rawValue * padded + channel]) - mean[channel]
            let (sum, dot) = (sums[channel], sums[padded + channel] + rounding * sums[channel])
            gradients[0][channel] = isAdded ? -0.0 : Float(dot * inverse[channel])
            gradients[1][channel] = isAdded ? -0.0 : Float(sum)
            // scale · (g - mean of g - (z - mean) / deviation² · mean of g · (z - mean))
            let scale = set(.gradientFactor, of: channel, Double(values[0][channel]) * inverse[channel])
            let factor = set(
                .zFactor, of: channel, -scale * inverse[channel] * inverse[channel] * dot / elements)
            _ = set(.constant, of: channel, -scale * sum / elements - factor * mean[channel])
        }
    }

    /// Makes the gradient of an image's z from that of its y, plain, after `sum`.
    func makeGradient(
        z: Numbers, _ gradient: Numbers, winners: UnsafePointer<UInt8>?, to dz: Numbers, _ map: vgg_map
    ) {
        withKernelNorm { norm in
            var (norm, map) = (norm, map)
            if Number.element == .bfloat16 {
                context.mixedKernels.bf16_norm_gradient(
                    &norm, bf16s(z), bf16s(gradient), winners, &map, bf16s(dz))
            } else {
                context.kernels.norm_gradient(&norm, floats(z), floats(gradient), winners, &map, floats(dz))
            }
        }
    }
}

/// The kernels of either arithmetic.
extension Normalization {
    private func measure(
        _ z: Numbers, before: Int, _ means: UnsafeMutablePointer<Double>,
        _ squares: UnsafeMutablePointer<Double>
    ) {
        if Number.element == .bfloat16 {
            context.mixedKernels.bf16_channel_moments(
                bf16s(z), pixels, norm.channels, before, means, squares)
        } else {
            context.kernels.channel_moments(floats(z), pixels, norm.channels, before, means, squares)
        }
    }

    private func sum(
        _ norm: vgg_norm, _ z: Numbers, _ gradient: Numbers, _ winners: UnsafePointer<UInt8>?,
        _ sums: UnsafeMutablePointer<Double>, _ dots: UnsafeMutablePointer<Double>
    ) {
        var norm = norm
        if Number.element == .bfloat16 {
            context.mixedKernels.bf16_norm_sums(&norm, bf16s(z), bf16s(gradient), winners, sums, dots)
        } else {
            context.kernels.norm_sums(&norm, floats(z), floats(gradient), winners, sums, dots)
        }
    }
}
