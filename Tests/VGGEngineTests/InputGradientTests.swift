import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

/// The gradient of the input on every device, against the slow reference.
@Suite struct InputGradientTests {
    private static let cases = OperatorCase.all.filter { !$0.network.hasBatchNorm() }

    /// A random number for each output of the kept layers: the gradient of their sum with these weights.
    private func weights(_ outputs: [Int: Tensor]) -> [Int: Tensor] {
        outputs.mapValues { output in
            let philox = Philox(seed: UInt64(output.values.count), stream: .shuffle)
            return Tensor(
                shape: output.shape,
                values: output.values.indices.map {
                    2 * Philox.uniform(philox.word(sequence: 0, element: $0)) - 1
                })
        }
    }

    private func gradient(
        _ network: Network, _ images: ImageBatch, keeping kept: Set<Int>, withRespectTo layer: Int? = nil,
        isGuided: Bool = false, batchSize: Int? = nil, on device: Device,
        _ precision: Precision = .fp32
    ) throws -> Tensor {
        let executor = try Executor(
            plan: try Plan(
                network, batchSize: batchSize ?? images.count, mode: .inputGradient, precision: precision,
                keeping: kept),
            device: device)
        executor.initialize(.kaiming, seed: 3)
        try executor.load(scrambled(executor.weights))
        return executor.gradient(of: images, withRespectTo: layer, isGuided: isGuided) {
            weights($0.filter { $0.key != layer })
        }
    }

    @Test(arguments: cases, TestedDevice.all)
    func isTheReferences(_ example: OperatorCase, on tested: TestedDevice) throws {
        let images = try randomImages(count: example.batch, shape: example.network.input, seed: 5)
        let last = example.network.layers.count - 1
        for isGuided in [false, true] {
            let expected = try gradient(
                example.network, images, keeping: [last], isGuided: isGuided, on: .reference)
            #expect(expected.shape == [example.batch] + example.network.input.dimensions)
            let found = try gradient(
                example.network, images, keeping: [last], isGuided: isGuided, on: tested.device)
            expectClose(found.values, expected.values, "\(example.name), guided: \(isGuided)")
        }
    }

    /// Of several layers at once, in a batch that the plan is larger than, and with respect to an inner layer too.
    @Test(arguments: TestedDevice.all)
    func addsUpOverLayers(on tested: TestedDevice) throws {
        let network = try Network(
            input: .map(channels: 3, height: 22, width: 17),
            blocks: [vggBlock(2, 3, 16), vggBlock(1, 16, 33), vggBlock(1, 33, 20)])
        let images = try randomImages(count: 3, shape: network.input, seed: 6)
        // The first ReLU, the second pool, and the last layer.
        for (kept, layer): (Set<Int>, Int?) in [
            ([1, 7, 10], nil), ([1], nil), ([1, 7, 10], 1), ([4, 10], 4), ([0, 9], nil),
        ] {
            let expected = try gradient(network, images, keeping: kept, withRespectTo: layer, on: .reference)
            let found = try gradient(
                network, images, keeping: kept, withRespectTo: layer, batchSize: 5, on: tested.device)
            #expect(found.shape == expected.shape)
            expectClose(found.values, expected.values, "of layers \(kept.sorted())")
        }
    }

    /// In mixed precision, of convolutions of every kind, with and without a pool in them and before another step.
    @Test(arguments: TestedDevice.processors)
    func mixedPrecisionStaysClose(on tested: TestedDevice) throws {
        let network = try Network(
            input: .map(channels: 3, height: 45, width: 30),
            blocks: [
                .sequential([
                    .convolution(Convolution(3, 20, kernel: 5, stride: 2, padding: 2)), .relu,
                    .maxPool(Pool(window: 2, stride: 2)),
                    .convolution(Convolution(20, 33, kernel: 3, padding: 1)), .relu,
                    .averagePool(Pool(window: 2, stride: 1)),
                    .convolution(Convolution(33, 17, kernel: 3)),
                ])
            ])
        let images = try randomImages(count: 2, shape: network.input, seed: 6)
        for kept: Set<Int> in [[0, 4, 6], [6]] {
            let expected = try gradient(network, images, keeping: kept, on: .reference)
            let found = try gradient(network, images, keeping: kept, on: tested.device, .bf16)
            expectDistance(found.values, expected.values, below: 0.1, "of layers \(kept.sorted())")
        }
    }

    /// Of a number that follows from Gram matrices, alone and beside others, by its definition: the gradient of the sum of the
    /// matrices' numbers with symmetric weights.
    @Test(arguments: TestedDevice.all)
    func passesThroughGramMatrices(on tested: TestedDevice) throws {
        let network = try Network(
            input: .map(channels: 3, height: 13, width: 22),
            blocks: [vggBlock(2, 3, 20), vggBlock(1, 20, 33)])
        let images = try randomImages(count: 2, shape: network.input, seed: 6)
        // The first ReLU, what is behind the first pool, and the last pool.
        let kept: Set<Int> = [1, 5, 7]
        var grams: [[Int: Tensor]] = []
        var scaled: [[Int: [Float]]] = []
        var gradients: [Tensor] = []
        for device in [Device.reference, tested.device] {
            let executor = try Executor(
                plan: try Plan(network, batchSize: 3, mode: .inputGradient, keeping: kept), device: device)
            executor.initialize(.kaiming, seed: 3)
            var (matrices, outputs): ([Int: Tensor], [Int: [Float]]) = ([:], [:])
            gradients.append(
                executor.inputGradient(of: images) { kept in
                    matrices = kept.mapValues(\.gram)
                    outputs = kept.mapValues { output in
                        let factors = (0..<output.shape[1]).map { 0.5 + Float($0 % 7) }
                        // In whatever order: the numbers alone are compared.
                        return output.scaled(by: factors, isNormalized: output.layer != 5).sorted()
                    }
                    return Dictionary(
                        uniqueKeysWithValues: kept.map { layer, output in
                            let channels = output.shape[1]
                            let gram = Tensor(
                                shape: [2, channels, channels],
                                values: (0..<2 * channels * channels).map { place in
                                    let (row, column) = (place / channels % channels, place % channels)
                                    return Float((row + 1) * (column + 1) % 11 - 5) / 10
                                })
                            let values = weights([layer: output.tensor])[layer].map {
                                [OutputGradient.values($0)]
                            }
                            return (layer, [.gram(gram)] + (layer == 5 ? [] : values ?? []))
                        })
                })
            grams.append(matrices)
            scaled.append(outputs)
        }
        for layer in kept {
            expectClose(
                try #require(grams[1][layer]).values, try #require(grams[0][layer]).values,
                "matrix of \(layer)")
            expectClose(
                try #require(scaled[1][layer]), try #require(scaled[0][layer]), "outputs of \(layer)")
        }
        expectClose(gradients[1].values, gradients[0].values, "gradient")

        // The matrices' gradient is that of their numbers: a small step along it changes these by as much.
        let executor = try Executor(
            plan: try Plan(network, batchSize: 1, mode: .inputGradient, keeping: [5]), device: .reference)
        executor.initialize(.kaiming, seed: 3)
        func trace(_ image: ImageBatch) -> (Double, Tensor) {
            var sum = 0.0
            let gradient = executor.inputGradient(of: image) { kept in
                let size = kept[5]?.shape[1] ?? 0
                let values = (0..<size * size).map { $0 % (size + 1) == 0 ? Float(1) : 0 }
                let gram = kept[5].map { Array($0.gram.values) } ?? []
                sum = zip(gram, values).reduce(0) { $0 + Double($1.0 * $1.1) }
                return [5: [.gram(Tensor(shape: [1, size, size], values: values))]]
            }
            return (sum, gradient)
        }
        let image = images[0..<1]
        let (before, slope) = trace(image)
        let squares = slope.values.reduce(0.0) { $0 + Double($1) * Double($1) }
        let step = 1e-4 * before / squares
        let moved = try ImageBatch(
            zip(image.values, slope.values).map { $0 + Float(step) * $1 }, shape: image.shape)
        #expect(abs(trace(moved).0 - before - step * squares) < 0.05 * step * squares)
    }

    @Test func takesNoMemoryForGradientsOfWeights() throws {
        let network = try ModelSpecification.slimVGG11.network(size: 32)
        func memory(_ mode: Mode) throws -> PlanMemory {
            Device.cpu(threads: 1).memory(
                of: try Plan(network, batchSize: 2, mode: mode, keeping: [network.layers.count - 1]),
                optimizer: nil)
        }
        let (gradient, training) = (try memory(.inputGradient), try memory(.training))
        #expect(gradient.gradients == 0 && gradient.optimizerState == 0 && training.gradients > 0)
        #expect(gradient.parameters == training.parameters)
        #expect(gradient.scratch <= training.scratch)
    }

    @Test func reflectedBordersAreOfSinglePrecision() throws {
        let whole = try ModelSpecification.slimVGG11.network(size: 32)
        let network = try whole.maps(upTo: 3, height: 9, width: 8, borders: .reflect)
        #expect(throws: PlanError.reflectedBorders) {
            try Plan(network, batchSize: 1, mode: .inference, precision: .bf16, keeping: [3])
        }
    }

    @Test func refusesABatchNormThatIsLeft() throws {
        let network = try Network(
            input: .map(channels: 2, height: 4, width: 4),
            blocks: [.sequential([.batchNorm(BatchNorm(2)), .flatten, .linear(Linear(32, 3))])])
        #expect(throws: PlanError.batchNormInGradient) {
            try Plan(network, batchSize: 1, mode: .inputGradient, keeping: [2])
        }
    }
}
