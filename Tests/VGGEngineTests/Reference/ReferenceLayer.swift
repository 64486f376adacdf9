import VGGModel

/// A batch as the reference has it: each image's numbers, channels first, in double precision.
typealias ReferenceBatch = [[Double]]

/// A layer of the slow reference, as its definition says it: one loop an index, in double precision. It shares no
/// code with the engine.
struct ReferenceLayer {
    let placed: PlacedLayer
    /// In PyTorch's order, one for each of the layer's tensors.
    var values: [[Double]]
    /// Of the trained tensors, after the backward pass; empty for the others.
    var gradients: [[Double]] = []
    /// Of batch norm's last training batch.
    private var normalized: ReferenceBatch = []
    private var deviations: [Double] = []

    init(_ placed: PlacedLayer, values: [[Double]]) {
        self.placed = placed
        self.values = values
    }

    /// Dropout and its place are the caller's.
    mutating func forward(_ x: ReferenceBatch, isTraining: Bool) -> ReferenceBatch {
        if case .batchNorm(let norm) = placed.layer { return normalize(x, norm, isTraining: isTraining) }
        return x.map(forward)
    }

    /// The gradient of the input; leaves those of the tensors.
    mutating func backward(_ x: ReferenceBatch, _ dy: ReferenceBatch) -> ReferenceBatch {
        gradients = placed.parameters.map { parameter in
            Array(repeating: 0, count: parameter.isTrained ? parameter.shape.reduce(1, *) : 0)
        }
        if case .batchNorm(let norm) = placed.layer { return normalizeBackward(x, norm, dy) }
        return zip(x, dy).map { backward($0, $1) }
    }

    private func forward(_ x: [Double]) -> [Double] {
        var y = Array(repeating: 0.0, count: placed.output.count)
        switch placed.layer {
        case .relu: return x.map { max($0, 0) }
        case .flatten, .dropout, .batchNorm: return x
        case .linear(let layer):
            for o in 0..<layer.outFeatures {
                y[o] = values[1][o]
                for i in 0..<layer.inFeatures { y[o] += values[0][o * layer.inFeatures + i] * x[i] }
            }
        case .convolution(let layer):
            for o in 0..<layer.outChannels {
                for pixel in 0..<placed.output.pixels { y[o * placed.output.pixels + pixel] = values[1][o] }
            }
            forEachTap(layer) { y[$0] += values[0][$2] * x[$1] }
        case .maxPool(let pool):
            forEachWindow(pool) { output, inputs in y[output] = inputs.map { x[$0] }.max()! }
        case .averagePool(let pool):
            forEachWindow(pool) { output, inputs in
                y[output] = inputs.map { x[$0] }.reduce(0, +) / Double(inputs.count)
            }
        case .adaptiveAveragePool:
            forEachAdaptiveWindow { output, inputs in
                y[output] = inputs.map { x[$0] }.reduce(0, +) / Double(inputs.count)
            }
        }
        return y
    }

    private mutating func backward(_ x: [Double], _ dy: [Double]) -> [Double] {
        var dx = Array(repeating: 0.0, count: x.count)
        switch placed.layer {
        case .relu: return zip(x, dy).map { $0 > 0 ? $1 : 0 }
        case .flatten, .dropout, .batchNorm: return dy
        case .linear(let layer):
            for o in 0..<layer.outFeatures {
                gradients[1][o] += dy[o]
                for i in 0..<layer.inFeatures {
                    gradients[0][o * layer.inFeatures + i] += dy[o] * x[i]
                    dx[i] += values[0][o * layer.inFeatures + i] * dy[o]
                }
            }
        case .convolution(let layer):
            var dw = gradients[0]
            gradients[0] = []
            for o in 0..<layer.outChannels {
                for pixel in 0..<placed.output.pixels {
                    gradients[1][o] += dy[o * placed.output.pixels + pixel]
                }
            }
            forEachTap(layer) {
                dw[$2] += dy[$0] * x[$1]
                dx[$1] += dy[$0] * values[0][$2]
            }
            gradients[0] = dw
        case .maxPool(let pool):
            forEachWindow(pool) { output, inputs in
                let top = inputs.map { x[$0] }.max()!
                dx[inputs.first { x[$0] == top }!] += dy[output]
            }
        case .averagePool(let pool):
            forEachWindow(pool) { output, inputs in
                for input in inputs { dx[input] += dy[output] / Double(inputs.count) }
            }
        case .adaptiveAveragePool:
            forEachAdaptiveWindow { output, inputs in
                for input in inputs { dx[input] += dy[output] / Double(inputs.count) }
            }
        }
        return dx
    }

    /// Calls `body(output index, input index, weight index)` for every product of a convolution.
    private func forEachTap(_ layer: Convolution, _ body: (Int, Int, Int) -> Void) {
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

    private func forEachWindow(_ pool: Pool, _ body: (Int, [Int]) -> Void) {
        forEachWindow(
            rows: { $0 * pool.stride..<$0 * pool.stride + pool.window },
            columns: { $0 * pool.stride..<$0 * pool.stride + pool.window }, body)
    }

    private func forEachAdaptiveWindow(_ body: (Int, [Int]) -> Void) {
        let (_, height, width) = placed.input.map
        let (_, outHeight, outWidth) = placed.output.map
        func window(_ index: Int, _ extent: Int, _ count: Int) -> Range<Int> {
            let begin = Double(index * extent) / Double(count)
            let end = Double((index + 1) * extent) / Double(count)
            return Int(begin.rounded(.down))..<Int(end.rounded(.up))
        }
        forEachWindow(
            rows: { window($0, height, outHeight) }, columns: { window($0, width, outWidth) }, body)
    }

    /// Calls `body(output index, input indices)` for every window.
    private func forEachWindow(
        rows: (Int) -> Range<Int>, columns: (Int) -> Range<Int>,
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

    private mutating func normalize(_ x: ReferenceBatch, _ norm: BatchNorm, isTraining: Bool)
        -> ReferenceBatch
    {
        let pixels = placed.input.pixels
        let count = Double(x.count * pixels)
        var output = x
        normalized = x
        deviations = []
        for c in 0..<norm.channels {
            let range = c * pixels..<(c + 1) * pixels
            var (mean, variance) = (values[2][c], values[3][c])
            if isTraining {
                let numbers = x.flatMap { $0[range] }
                mean = numbers.reduce(0, +) / count
                let squares = numbers.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
                variance = squares / count
                let momentum = Double(norm.momentum)
                values[2][c] += momentum * (mean - values[2][c])
                values[3][c] += momentum * (squares / (count - 1) - values[3][c])
            }
            let deviation = (variance + Double(norm.epsilon)).squareRoot()
            deviations.append(deviation)
            for image in x.indices {
                for index in range {
                    normalized[image][index] = (x[image][index] - mean) / deviation
                    output[image][index] = normalized[image][index] * values[0][c] + values[1][c]
                }
            }
        }
        return output
    }

    private mutating func normalizeBackward(
        _ x: ReferenceBatch, _ norm: BatchNorm, _ dy: ReferenceBatch
    ) -> ReferenceBatch {
        let pixels = placed.input.pixels
        let count = Double(x.count * pixels)
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
            gradients[1][c] = sum
            gradients[0][c] = dot
            for image in dy.indices {
                for index in range {
                    dx[image][index] =
                        values[0][c] / deviations[c]
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
