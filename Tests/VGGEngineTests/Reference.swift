import Foundation
import VGGModel

/// A batch in the reference's layout: images, then the shape's own dimensions (channels first), in double
/// precision.
struct ReferenceBatch {
    var shape: Shape
    var images: [[Double]]
}

/// The slow reference: every layer as its definition says it, one loop an index, in double precision.
///
/// It shares no code with the engine; dropout, which is random, is left out.
struct Reference {
    let network: Network
    var weights: [String: [Double]]
    /// Of the parameters, by name, after `backward`.
    private(set) var gradients: [String: [Double]] = [:]
    private var activations: [ReferenceBatch] = []

    init(_ network: Network, weights: [String: Tensor]) {
        self.network = network
        self.weights = weights.mapValues { $0.values.map(Double.init) }
    }

    mutating func forward(_ images: [[Double]], isTraining: Bool) -> [[Double]] {
        var batch = ReferenceBatch(shape: network.input, images: images)
        activations = [batch]
        for placed in network.layers {
            batch.images =
                if case .batchNorm(let norm) = placed.layer {
                    normalize(batch, norm, placed.name, isTraining: isTraining).output
                } else {
                    batch.images.map { forward($0, placed) }
                }
            batch.shape = placed.output
            activations.append(batch)
        }
        return batch.images
    }

    /// The mean loss; leaves the gradients of every parameter.
    mutating func backward(labels: [Int]) -> Double {
        var gradient: [[Double]] = []
        var loss = 0.0
        for (logits, label) in zip(activations[activations.count - 1].images, labels) {
            let top = logits.max()!
            let exponentials = logits.map { exp($0 - top) }
            let sum = exponentials.reduce(0, +)
            loss += log(sum) - (logits[label] - top)
            gradient.append(
                exponentials.enumerated().map {
                    ($0.element / sum - ($0.offset == label ? 1 : 0)) / Double(labels.count)
                })
        }
        for (index, placed) in network.layers.enumerated().reversed() {
            for parameter in placed.parameters where parameter.isTrained {
                gradients[parameter.name] = Array(repeating: 0, count: parameter.shape.reduce(1, *))
            }
            if case .batchNorm(let norm) = placed.layer {
                gradient = normalizeBackward(activations[index], norm, placed.name, gradient)
            } else {
                gradient = zip(activations[index].images, gradient).map { backward($0, placed, $1) }
            }
        }
        return loss / Double(labels.count)
    }

    // MARK: - Layers

    private func forward(_ x: [Double], _ placed: PlacedLayer) -> [Double] {
        var y = Array(repeating: 0.0, count: placed.output.count)
        switch placed.layer {
        case .relu: return x.map { max($0, 0) }
        case .flatten, .dropout, .batchNorm: return x
        case .linear(let layer):
            let (weight, bias) = (weights[placed.name + ".weight"]!, weights[placed.name + ".bias"]!)
            for o in 0..<layer.outFeatures {
                y[o] = bias[o]
                for i in 0..<layer.inFeatures { y[o] += weight[o * layer.inFeatures + i] * x[i] }
            }
        case .convolution(let layer):
            let (weight, bias) = (weights[placed.name + ".weight"]!, weights[placed.name + ".bias"]!)
            for o in 0..<layer.outChannels {
                for pixel in 0..<placed.output.pixels { y[o * placed.output.pixels + pixel] = bias[o] }
            }
            forEachTap(layer, placed) { y[$0] += weight[$2] * x[$1] }
        case .maxPool(let pool):
            forEachWindow(pool, placed) { output, inputs in y[output] = inputs.map { x[$0] }.max()! }
        case .averagePool(let pool):
            forEachWindow(pool, placed) { output, inputs in
                y[output] = inputs.map { x[$0] }.reduce(0, +) / Double(inputs.count)
            }
        case .adaptiveAveragePool:
            forEachAdaptiveWindow(placed) { output, inputs in
                y[output] = inputs.map { x[$0] }.reduce(0, +) / Double(inputs.count)
            }
        }
        return y
    }

    private mutating func backward(_ x: [Double], _ placed: PlacedLayer, _ dy: [Double]) -> [Double] {
        var dx = Array(repeating: 0.0, count: x.count)
        switch placed.layer {
        case .relu: return zip(x, dy).map { $0 > 0 ? $1 : 0 }
        case .flatten, .dropout, .batchNorm: return dy
        case .linear(let layer):
            let weight = weights[placed.name + ".weight"]!
            for o in 0..<layer.outFeatures {
                gradients[placed.name + ".bias"]![o] += dy[o]
                for i in 0..<layer.inFeatures {
                    gradients[placed.name + ".weight"]![o * layer.inFeatures + i] += dy[o] * x[i]
                    dx[i] += weight[o * layer.inFeatures + i] * dy[o]
                }
            }
        case .convolution(let layer):
            let weight = weights[placed.name + ".weight"]!
            var dw = gradients[placed.name + ".weight"]!
            for o in 0..<layer.outChannels {
                for pixel in 0..<placed.output.pixels {
                    gradients[placed.name + ".bias"]![o] += dy[o * placed.output.pixels + pixel]
                }
            }
            forEachTap(layer, placed) {
                dw[$2] += dy[$0] * x[$1]
                dx[$1] += dy[$0] * weight[$2]
            }
            gradients[placed.name + ".weight"] = dw
        case .maxPool(let pool):
            forEachWindow(pool, placed) { output, inputs in
                let top = inputs.map { x[$0] }.max()!
                dx[inputs.first { x[$0] == top }!] += dy[output]
            }
        case .averagePool(let pool):
            forEachWindow(pool, placed) { output, inputs in
                for input in inputs { dx[input] += dy[output] / Double(inputs.count) }
            }
        case .adaptiveAveragePool:
            forEachAdaptiveWindow(placed) { output, inputs in
                for input in inputs { dx[input] += dy[output] / Double(inputs.count) }
            }
        }
        return dx
    }

    /// Calls `body(output index, input index, weight index)` for every product of a convolution.
    private func forEachTap(
        _ layer: Convolution, _ placed: PlacedLayer, _ body: (Int, Int, Int) -> Void
    ) {
        let (_, height, width) = placed.input.map
        let (_, outHeight, outWidth) = placed.output.map
        for o in 0..<layer.outChannels {
            for oy in 0..<outHeight {
                for ox in 0..<outWidth {
                    for i in 0..<layer.inChannels {
                        for ky in 0..<layer.kernel {
                            for kx in 0..<layer.kernel {
                                let y = oy * layer.stride + ky - layer.padding
                                let x = ox * layer.stride + kx - layer.padding
                                guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
                                body(
                                    (o * outHeight + oy) * outWidth + ox, (i * height + y) * width + x,
                                    ((o * layer.inChannels + i) * layer.kernel + ky) * layer.kernel + kx)
                            }
                        }
                    }
                }
            }
        }
    }

    private func forEachWindow(_ pool: Pool, _ placed: PlacedLayer, _ body: (Int, [Int]) -> Void) {
        forEachWindow(
            placed, rows: { $0 * pool.stride..<$0 * pool.stride + pool.window },
            columns: { $0 * pool.stride..<$0 * pool.stride + pool.window }, body)
    }

    private func forEachAdaptiveWindow(_ placed: PlacedLayer, _ body: (Int, [Int]) -> Void) {
        let (_, height, width) = placed.input.map
        let (_, outHeight, outWidth) = placed.output.map
        func window(_ index: Int, _ extent: Int, _ count: Int) -> Range<Int> {
            let begin = Double(index * extent) / Double(count)
            let end = Double((index + 1) * extent) / Double(count)
            return Int(begin.rounded(.down))..<Int(end.rounded(.up))
        }
        forEachWindow(
            placed, rows: { window($0, height, outHeight) }, columns: { window($0, width, outWidth) }, body)
    }

    /// Calls `body(output index, input indices)` for every window.
    private func forEachWindow(
        _ placed: PlacedLayer, rows: (Int) -> Range<Int>, columns: (Int) -> Range<Int>,
        _ body: (Int, [Int]) -> Void
    ) {
        let (channels, height, width) = placed.input.map
        let (_, outHeight, outWidth) = placed.output.map
        for c in 0..<channels {
            for oy in 0..<outHeight {
                for ox in 0..<outWidth {
                    let inputs = rows(oy).flatMap { y in columns(ox).map { (c * height + y) * width + $0 } }
                    body((c * outHeight + oy) * outWidth + ox, inputs)
                }
            }
        }
    }

    // MARK: - Batch norm

    private mutating func normalize(
        _ batch: ReferenceBatch, _ norm: BatchNorm, _ name: String, isTraining: Bool
    ) -> (output: [[Double]], normalized: [[Double]], deviations: [Double]) {
        let pixels = batch.shape.pixels
        let count = Double(batch.images.count * pixels)
        var output = batch.images
        var normalized = batch.images
        var deviations: [Double] = []
        for c in 0..<norm.channels {
            let range = c * pixels..<(c + 1) * pixels
            var mean = weights[name + ".running_mean"]![c]
            var variance = weights[name + ".running_var"]![c]
            if isTraining {
                let values = batch.images.flatMap { $0[range] }
                mean = values.reduce(0, +) / count
                let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
                variance = squares / count
                let momentum = Double(norm.momentum)
                weights[name + ".running_mean"]![c] *= 1 - momentum
                weights[name + ".running_mean"]![c] += momentum * mean
                weights[name + ".running_var"]![c] *= 1 - momentum
                weights[name + ".running_var"]![c] += momentum * squares / (count - 1)
            }
            let deviation = (variance + Double(norm.epsilon)).squareRoot()
            deviations.append(deviation)
            let (scale, shift) = (weights[name + ".weight"]![c], weights[name + ".bias"]![c])
            for image in batch.images.indices {
                for index in range {
                    normalized[image][index] = (batch.images[image][index] - mean) / deviation
                    output[image][index] = normalized[image][index] * scale + shift
                }
            }
        }
        return (output, normalized, deviations)
    }

    private mutating func normalizeBackward(
        _ batch: ReferenceBatch, _ norm: BatchNorm, _ name: String, _ dy: [[Double]]
    ) -> [[Double]] {
        var copy = self
        let (_, normalized, deviations) = copy.normalize(batch, norm, name, isTraining: true)
        let pixels = batch.shape.pixels
        let count = Double(batch.images.count * pixels)
        var dx = dy
        for c in 0..<norm.channels {
            let range = c * pixels..<(c + 1) * pixels
            var (sum, dot) = (0.0, 0.0)
            for image in dy.indices {
                for index in range {
                    sum += dy[image][index]
                    dot += dy[image][index] * normalized[image][index]
                }
            }
            gradients[name + ".bias"]![c] = sum
            gradients[name + ".weight"]![c] = dot
            for image in dy.indices {
                for index in range {
                    dx[image][index] =
                        weights[name + ".weight"]![c] / deviations[c]
                        * (dy[image][index] - sum / count - normalized[image][index] * dot / count)
                }
            }
        }
        return dx
    }
}

extension Shape {
    var map: (channels: Int, height: Int, width: Int) {
        switch self {
        case .map(let channels, let height, let width): (channels, height, width)
        case .vector(let features): (features, 1, 1)
        }
    }

    var pixels: Int { map.height * map.width }
}
