import Testing
import VGGCPU
import VGGEngine
import VGGInference
import VGGModel
import VGGTestSupport

@Suite struct BatchNormFoldingTests {
    private func convolution(_ channels: Int, _ out: Int) -> Layer {
        .convolution(Convolution(channels, out, kernel: 3, padding: 1))
    }

    private func weights(of network: Network) throws -> [String: Tensor] {
        let executor = try Executor(plan: try Plan(network, batchSize: 1, mode: .inference), device: .cpu)
        executor.initialize(.xavier, seed: 5)
        return scrambled(executor.weights)
    }

    /// Batch norm right behind convolutions and in blocks of its own, twice in a row, and where there is no
    /// convolution to carry it.
    @Test(arguments: Precision.allCases) func predictsTheSame(_ precision: Precision) throws {
        let network = try Network(
            input: .map(channels: 3, height: 12, width: 12),
            blocks: [
                .sequential([.batchNorm(BatchNorm(3)), convolution(3, 20)]),
                .sequential([.batchNorm(BatchNorm(20))]),
                .sequential([
                    .relu, .maxPool(Pool(window: 2, stride: 2)), .batchNorm(BatchNorm(20)),
                    convolution(20, 40),
                ]),
                .single(.batchNorm(BatchNorm(40))), .single(.batchNorm(BatchNorm(40))), .single(.relu),
                .single(.flatten), .single(.linear(Linear(40 * 36, 5))),
            ])
        let weights = try weights(of: network)
        let folded = try network.foldingBatchNorm()
        #expect(folded.places == [0, 1, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8])

        let images = try randomImages(count: 4, shape: network.input, seed: 11)
        func logits(_ network: Network, _ weights: [String: Tensor]) throws -> [Float] {
            let plan = try Plan(network, batchSize: 4, mode: .inference, precision: precision)
            let executor = try Executor(plan: plan, device: .cpu)
            try executor.load(weights)
            return executor.logits(images)
        }
        expectClose(
            try logits(folded.network, folded.weights(from: weights)),
            try logits(network, weights),
            tolerance: precision == .fp32 ? 2e-5 : 2e-2, "logits")
    }

    @Test func namesTheTensorAtFault() throws {
        let network = try vgg([(1, 4)], size: 8, batchNorm: true, hiddenFeatures: [8, 8])
        let folded = try network.foldingBatchNorm()
        var weights = try weights(of: network)
        weights["features.1.running_mean"] = Tensor(shape: [1], values: [0])
        #expect(throws: WeightsError.shape(name: "features.1.running_mean", expected: [4], found: [1])) {
            try folded.weights(from: weights)
        }
        weights["features.1.running_mean"] = nil
        #expect(throws: WeightsError.missing("features.1.running_mean")) { try folded.weights(from: weights) }
    }

    /// Two batch norms in a row are one: Grad-CAM says the same of both networks.
    @Test func explainsTwoInARowAsOne() throws {
        func network(_ norms: Int) throws -> Network {
            let layers = [convolution(3, 16)] + (0..<norms).map { _ in .batchNorm(BatchNorm(16)) }
            return try Network(
                input: .map(channels: 3, height: 6, width: 6),
                blocks: [
                    .sequential(layers + [.relu]), .single(.flatten), .single(.linear(Linear(16 * 36, 3))),
                ])
        }
        let (twice, once) = (try network(2), try network(1))
        let weights = try weights(of: twice)
        // With a variance of 1 - epsilon the factor is the weight itself.
        var plain = weights.filter { !$0.key.hasPrefix("features.") || $0.key.hasPrefix("features.0") }
        var (factors, shifts) = ([Float](repeating: 1, count: 16), [Float](repeating: 0, count: 16))
        for name in ["features.1", "features.2"] {
            func values(_ tensor: String) throws -> [Float] {
                Array(try #require(weights["\(name).\(tensor)"]).values)
            }
            let (scale, bias) = (try values("weight"), try values("bias"))
            let (mean, variance) = (try values("running_mean"), try values("running_var"))
            for channel in 0..<16 {
                let factor = scale[channel] / (variance[channel] + BatchNorm(16).epsilon).squareRoot()
                factors[channel] *= factor
                shifts[channel] = (shifts[channel] - mean[channel]) * factor + bias[channel]
            }
        }
        plain["features.1.weight"] = Tensor(shape: [16], values: factors)
        plain["features.1.bias"] = Tensor(shape: [16], values: shifts)
        plain["features.1.running_mean"] = Tensor(shape: [16], values: [Float](repeating: 0, count: 16))
        plain["features.1.running_var"] = Tensor(
            shape: [16], values: [Float](repeating: 1 - BatchNorm(16).epsilon, count: 16))

        let image = try randomImages(count: 1, shape: twice.input, seed: 2)
        for (layer, other) in [
            ("features.0", "features.0"), ("features.2", "features.1"), ("relu1_1", "relu1_1"),
        ] {
            let expected = try GradCAM(once, weights: plain, layer: other, device: .cpu).map(
                of: image, class: 1)
            #expect(expected.values.contains { $0 > 0 })
            expectClose(
                try GradCAM(twice, weights: weights, layer: layer, device: .cpu).map(of: image, class: 1)
                    .values,
                expected.values, "\(layer)")
        }
    }
}
