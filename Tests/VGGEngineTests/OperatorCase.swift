import Testing
import VGGModel

/// A small network around one operator; every case ends in a linear layer so that it has a loss.
struct OperatorCase: CustomTestStringConvertible, Sendable {
    let name: String
    let network: Network
    let batch: Int

    init(_ name: String, _ channels: Int, _ height: Int, _ width: Int, batch: Int = 3, _ layers: [Layer]) {
        self.name = name
        self.batch = batch
        let input = Shape.map(channels: channels, height: height, width: width)
        let features = try! Network(input: input, blocks: [.sequential(layers)]).output.count
        network = try! Network(
            input: input, blocks: [.sequential(layers + [.flatten, .linear(Linear(features, 5))])])
    }

    var testDescription: String { name }

    /// Whether small whole numbers stay small enough for exact sums up to the last layer. The processor's products for maps
    /// of three pixels a side have fractions.
    var isExactInWholeNumbers: Bool {
        let kinds = network.layers.map(\.layer.className)
        return !kinds.contains("BatchNorm2d") && kinds.filter { $0 == "Linear" }.count == 1
            && kinds.filter { $0 == "Conv2d" }.count <= 2 && !smallMaps.contains(3)
    }

    /// Whether the processor computes some pass of it in mixed precision by another algorithm than the definition.
    var isTransformedInMixedPrecision: Bool {
        convolutions.contains { $0.kernel == 3 && $0.stride == 1 && max($0.inChannels, $0.outChannels) >= 32 }
            || !smallMaps.isEmpty
    }

    private var convolutions: [Convolution] {
        network.layers.compactMap {
            if case .convolution(let convolution) = $0.layer { convolution } else { nil }
        }
    }

    /// Sides of maps whose images the processor takes as rows of matrices.
    private var smallMaps: [Int] {
        let inputs = [network.input] + network.layers.map(\.output)
        return zip(network.layers, inputs).compactMap { layer, input in
            guard case .convolution(let convolution) = layer.layer, convolution.kernel == 3,
                convolution.stride == 1,
                convolution.padding == 1, min(convolution.inChannels, convolution.outChannels) >= 16,
                case .map(_, let height, let width) = input, height == width, height <= 4
            else { return nil }
            return height
        }
    }

    /// The biases of convolutions that a batch norm follows before any other layer with tensors: their gradients are zero, but for
    /// rounding and what a ReLU between them stops.
    var biasesWithoutEffect: Set<String> {
        let layers = network.layers.filter { !$0.parameters.isEmpty }
        return Set(
            zip(layers, layers.dropFirst()).compactMap { layer, next in
                if case .batchNorm = next.layer { "\(layer.name).bias" } else { nil }
            })
    }

    private static func convolution(
        _ channels: Int, _ out: Int, _ kernel: Int, stride: Int = 1, padding: Int = 0
    ) -> Layer {
        .convolution(Convolution(channels, out, kernel: kernel, stride: stride, padding: padding))
    }

    /// The second convolution of a case checks the gradient of its input through the first one's weights.
    static let all: [OperatorCase] = {
        let pool = Layer.maxPool(Pool(window: 2, stride: 2))
        var cases = [
            OperatorCase("linear", 10, 1, 1, batch: 17, []),
            OperatorCase("linear on maps", 3, 4, 5, batch: 1, []),
            OperatorCase(
                "two linear layers with ReLU", 33, 1, 1, batch: 5,
                [.flatten, .linear(Linear(33, 40)), .relu, .linear(Linear(40, 7)), .relu]),
            OperatorCase(
                "linear layers of multiples of 512", 512, 1, 1, batch: 5,
                [.flatten, .linear(Linear(512, 1024)), .relu, .linear(Linear(1024, 512)), .relu]),
            OperatorCase(
                "maps of 512 numbers", 2, 4, 8, batch: 3,
                [convolution(2, 16, 3, padding: 1), .relu, convolution(16, 16, 3, padding: 1), .relu]),
            OperatorCase(
                "linear layers wider than a block", 1030, 1, 1, batch: 19,
                [.flatten, .linear(Linear(1030, 530)), .relu, .linear(Linear(530, 601)), .relu]),
            OperatorCase(
                "convolution, then max pool 3/2", 2, 9, 11,
                [
                    convolution(2, 9, 3, padding: 1), .maxPool(Pool(window: 3, stride: 2)),
                    convolution(9, 4, 1),
                ]),
            OperatorCase(
                "max pool 3/1 and lone ReLU", 3, 6, 7,
                [
                    convolution(3, 5, 2), .maxPool(Pool(window: 3, stride: 1)), .relu,
                    convolution(5, 3, 3, padding: 1),
                ]),
            OperatorCase(
                "average pool 2/2", 2, 7, 9,
                [
                    convolution(2, 6, 3), .averagePool(Pool(window: 2, stride: 2)),
                    convolution(6, 3, 2, padding: 1),
                ]),
            OperatorCase(
                "adaptive pool, shrinking", 3, 9, 14,
                [convolution(3, 8, 3, padding: 1), .relu, .adaptiveAveragePool(height: 7, width: 7)]),
            OperatorCase(
                "adaptive pool, growing", 3, 3, 1,
                [convolution(3, 8, 3, padding: 1), .relu, .adaptiveAveragePool(height: 7, width: 7)]),
            OperatorCase(
                "flatten after adaptive pool, then ReLU", 2, 5, 5,
                [convolution(2, 6, 3), .adaptiveAveragePool(height: 2, width: 3), .flatten, .relu]),
            OperatorCase(
                "dropout on maps and vectors", 3, 7, 5, batch: 6,
                [
                    convolution(3, 9, 3, padding: 1), .dropout(0.25), convolution(9, 7, 3), .flatten,
                    .dropout(0.5), .linear(Linear(105, 33)), .relu, .dropout(0.4),
                ]),
            OperatorCase(
                "batch norm", 3, 6, 5, batch: 4,
                [convolution(3, 17, 3, padding: 1), .batchNorm(BatchNorm(17)), convolution(17, 4, 3)]),
            OperatorCase(
                "batch norm, ReLU, pool", 1, 8, 9, batch: 11,
                [
                    convolution(1, 70, 3, padding: 1), .batchNorm(BatchNorm(70)), .relu, pool,
                    convolution(70, 6, 3, padding: 1), .relu,
                ]),
            OperatorCase(
                "batch norm, ReLU, pool of odd size", 17, 9, 7, batch: 3,
                [
                    convolution(17, 33, 3, padding: 1), .batchNorm(BatchNorm(33)), .relu, pool,
                    convolution(33, 20, 3, padding: 1), .batchNorm(BatchNorm(20)), .relu, pool,
                ]),
            OperatorCase(
                "batch norm, more images than leaves", 1, 2, 3, batch: 150,
                [convolution(1, 18, 3, padding: 1), .batchNorm(BatchNorm(18)), .relu, pool]),
            OperatorCase(
                "batch norm of a stride", 3, 11, 9, batch: 5,
                [
                    convolution(3, 9, 3, stride: 2, padding: 1), .batchNorm(BatchNorm(9)), .relu,
                    convolution(9, 4, 2),
                ]),
            OperatorCase(
                "batch norms between convolutions", 4, 9, 7, batch: 37,
                [
                    convolution(4, 33, 3, padding: 1), .batchNorm(BatchNorm(33)), .relu,
                    convolution(33, 20, 3, padding: 1), .batchNorm(BatchNorm(20)),
                    convolution(20, 9, 3, stride: 2, padding: 1), .batchNorm(BatchNorm(9)), .relu,
                    convolution(9, 17, 2),
                ]),
            OperatorCase(
                "batch norm after a pool", 3, 8, 9, batch: 5,
                [
                    convolution(3, 9, 3, padding: 1), .relu, .maxPool(Pool(window: 3, stride: 1)),
                    .batchNorm(BatchNorm(9)), .relu, convolution(9, 4, 2),
                ]),
            OperatorCase(
                "batch norm first", 2, 5, 4, batch: 9,
                [.batchNorm(BatchNorm(2)), convolution(2, 3, 3, padding: 1)]),
            OperatorCase(
                "a VGG block of two", 1, 14, 14, batch: 2,
                vggBlock(2, 1, 16).layers + vggBlock(2, 16, 32).layers),
            OperatorCase("a VGG block of odd size", 3, 15, 29, batch: 2, vggBlock(2, 3, 20).layers),
            OperatorCase("wide maps of odd size", 40, 15, 11, batch: 2, vggBlock(2, 40, 37).layers),
            OperatorCase(
                "wide maps of odd size, not pooled", 64, 9, 7, batch: 3,
                [convolution(64, 48, 3, padding: 1), .relu, convolution(48, 33, 3)]),
            OperatorCase("many small wide maps", 32, 4, 6, batch: 11, vggBlock(1, 32, 70).layers),
            OperatorCase(
                "more images than shards", 1, 6, 6, batch: 21,
                vggBlock(1, 1, 8).layers + vggBlock(1, 8, 16).layers),
            OperatorCase(
                "several groups of images a shard", 16, 18, 18, batch: 45,
                [convolution(16, 20, 3, padding: 1), .relu, convolution(20, 17, 3), .relu]),
            OperatorCase(
                "several groups of images a shard, wide", 32, 1, 232, batch: 17,
                [convolution(32, 40, 3, padding: 1), .relu, convolution(40, 33, 3, padding: 1), .relu]),
            OperatorCase(
                "a group of images, wide padding", 16, 4, 5, batch: 19,
                [convolution(16, 18, 3, padding: 3), .relu, convolution(18, 16, 3, padding: 3)]),
        ]
        // Maps whose images are rows of matrices: with ReLU, pooled, with batch norm.
        for side in 1...4 {
            for (channels, out, batch) in [(16, 33, 3), (35, 16, 19), (48, 80, 37)] {
                cases.append(
                    OperatorCase(
                        "small maps \(channels)→\(out) at \(side)×\(side)", channels, side, side,
                        batch: batch,
                        [
                            convolution(channels, channels, 3, padding: 1), .relu,
                            convolution(channels, out, 3, padding: 1),
                        ]))
            }
            guard side > 1 else { continue }
            for batchNorm in [false, true] {
                cases.append(
                    OperatorCase(
                        "a VGG block at \(side)×\(side)\(batchNorm ? " with batch norm" : "")", 20, side,
                        side,
                        batch: 18, vggBlock(2, 20, 37, batchNorm: batchNorm).layers))
            }
        }
        cases.append(
            OperatorCase("small maps, many images a leaf", 16, 3, 3, batch: 290, vggBlock(2, 16, 18).layers))
        // Every kernel, stride, padding and channel count that is not a multiple of anything.
        for (kernel, stride, padding) in [
            (3, 1, 1), (3, 1, 0), (1, 1, 0), (1, 1, 1), (2, 2, 1), (5, 1, 2), (5, 1, 0), (5, 1, 4), (3, 2, 1),
            (5, 3, 4),
            (11, 4, 1),
        ] {
            for (channels, out, height, width) in [
                (1, 16, 13, 17), (3, 10, 12, 11), (17, 37, 13, 10), (33, 48, 12, 14),
            ] {
                cases.append(
                    OperatorCase(
                        "convolution \(channels)→\(out) kernel \(kernel) stride \(stride) padding \(padding) at \(height)×\(width)",
                        channels, height, width, batch: 2,
                        [
                            convolution(channels, channels, 3, padding: 1), .relu,
                            convolution(channels, out, kernel, stride: stride, padding: padding),
                        ]))
            }
        }
        return cases
    }()
}
