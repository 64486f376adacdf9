import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

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

    /// Whether small whole numbers stay small enough for exact sums up to the last layer.
    var isExactInWholeNumbers: Bool {
        let kinds = network.layers.map(\.layer.className)
        return !kinds.contains("BatchNorm2d") && kinds.filter { $0 == "Linear" }.count == 1
            && kinds.filter { $0 == "Conv2d" }.count <= 2
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
                "batch norm", 3, 6, 5, batch: 4,
                [convolution(3, 17, 3, padding: 1), .batchNorm(BatchNorm(17)), convolution(17, 4, 3)]),
            OperatorCase(
                "batch norm, ReLU, pool", 1, 8, 9, batch: 11,
                [
                    convolution(1, 70, 3, padding: 1), .batchNorm(BatchNorm(70)), .relu, pool,
                    convolution(70, 6, 3, padding: 1), .relu,
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
                "a group of images, wide padding", 16, 4, 5, batch: 19,
                [convolution(16, 18, 3, padding: 3), .relu, convolution(18, 16, 3, padding: 3)]),
        ]
        // Every kernel, stride, padding and channel count that is not a multiple of anything.
        for (kernel, stride, padding) in [
            (3, 1, 1), (3, 1, 0), (1, 1, 0), (1, 1, 1), (2, 2, 1), (5, 1, 2), (3, 2, 1), (5, 3, 4),
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

/// Every operator, forward and backward, on every instruction set, against the slow reference.
@Suite struct OperatorTests {
    @Test(arguments: OperatorCase.all, InstructionSet.allAvailable)
    func agreesWithTheReference(_ example: OperatorCase, on set: InstructionSet) throws {
        let plan = try Plan(example.network, batchSize: example.batch + 1, mode: .training)
        let executor = try Executor(plan: plan, device: .cpu(threads: 2, instructionSet: set))
        executor.initialize(.xavier, seed: 3)
        try executor.load(scrambled(executor.weights))
        let images = Images(count: example.batch, shape: example.network.input, seed: 7)
        let labels = (0..<example.batch).map { $0 % 5 }

        var reference = Reference(example.network, weights: executor.weights)
        let logits = reference.forward(images.reference, isTraining: false)
        expectClose(
            executor.logits(images: images.engine, count: example.batch), logits.flatMap(\.self), "logits")
        let inference = try Executor(
            plan: try Plan(example.network, batchSize: example.batch, mode: .inference),
            device: .cpu(threads: 2, instructionSet: set))
        try inference.load(executor.weights)
        expectClose(
            inference.logits(images: images.engine, count: example.batch), logits.flatMap(\.self),
            "logits of an inference plan")

        _ = reference.forward(images.reference, isTraining: true)
        let loss = reference.backward(labels: labels)
        let metrics = executor.backward(images: images.engine, labels: labels.map(Int32.init))
        #expect(abs(metrics.lossSum / Double(example.batch) - loss) < 1e-5 * max(1, loss))
        let gradients = executor.gradientTensors
        #expect(Set(gradients.keys) == Set(reference.gradients.keys))
        for (name, gradient) in gradients {
            let layer = name.replacing(/\.[a-z]+$/, with: ".weight")
            let scale = reference.gradients[layer]!.map(abs).max()!
            expectClose(gradient.values, reference.gradients[name]!, scale: scale, "gradient of \(name)")
        }
        for (name, tensor) in executor.weights where name.contains("running_") {
            expectClose(tensor.values, reference.weights[name]!, "\(name)")
        }
    }

    /// Mixed precision rounds activations, gradients and weights to 8 bits: 2⁻⁹ at each rounding at most. Over
    /// the few layers of a case the errors of many numbers average out, so norms are compared, not elements.
    @Test(arguments: OperatorCase.all, InstructionSet.allMixed)
    func mixedPrecisionStaysCloseToTheReference(_ example: OperatorCase, on set: InstructionSet) throws {
        let executor = try Executor(
            plan: try Plan(example.network, batchSize: example.batch + 1, mode: .training, precision: .bf16),
            device: .cpu(threads: 2, instructionSet: set))
        executor.initialize(.xavier, seed: 3)
        try executor.load(scrambled(executor.weights))
        let images = Images(count: example.batch, shape: example.network.input, seed: 7)
        let labels = (0..<example.batch).map { $0 % 5 }

        var reference = Reference(example.network, weights: executor.weights)
        let logits = reference.forward(images.reference, isTraining: false).flatMap(\.self)
        expectDistance(
            executor.logits(images: images.engine, count: example.batch), logits, below: 0.02, "logits")
        let inference = try Executor(
            plan: try Plan(
                example.network, batchSize: example.batch, mode: .inference, precision: .bf16),
            device: .cpu(threads: 2, instructionSet: set))
        try inference.load(executor.weights)
        #expect(
            inference.logits(images: images.engine, count: example.batch)
                == executor.logits(images: images.engine, count: example.batch))

        _ = reference.forward(images.reference, isTraining: true)
        let loss = reference.backward(labels: labels)
        let metrics = executor.backward(images: images.engine, labels: labels.map(Int32.init))
        #expect(abs(metrics.lossSum / Double(example.batch) - loss) < 0.02 * max(1, loss))
        // A ReLU or max pool may switch where rounding moves its input, and then moves a whole gradient.
        let switches = example.network.layers.contains {
            if case .maxPool = $0.layer { true } else { $0.layer == .relu }
        }
        let gradients = executor.gradientTensors
        #expect(Set(gradients.keys) == Set(reference.gradients.keys))
        for (name, gradient) in gradients where name.hasSuffix("weight") {
            expectDistance(
                gradient.values, reference.gradients[name]!, below: switches ? 0.3 : 0.02,
                "gradient of \(name)")
        }
    }

    /// With small whole numbers the sums of two convolutions are exact, so that no ReLU and no pool switches:
    /// what is left is the rounding of gradients, 2⁻⁹ each at most, in sums over images that partly cancel.
    @Test(arguments: OperatorCase.all.filter(\.isExactInWholeNumbers), InstructionSet.allMixed)
    func mixedPrecisionGradientsAreThoseOfTheReference(
        _ example: OperatorCase, on set: InstructionSet
    ) throws {
        let executor = try Executor(
            plan: try Plan(example.network, batchSize: example.batch, mode: .training, precision: .bf16),
            device: .cpu(threads: 2, instructionSet: set))
        try executor.load(wholeNumbers(example.network))
        let images = Images(count: example.batch, shape: example.network.input, seed: 7) {
            ($0 * 2).rounded()
        }
        var reference = Reference(example.network, weights: executor.weights)
        _ = reference.forward(images.reference, isTraining: true)
        let labels = (0..<example.batch).map { $0 % 5 }
        _ = reference.backward(labels: labels)
        _ = executor.backward(images: images.engine, labels: labels.map(Int32.init))
        let gradients = executor.gradientTensors
        #expect(Set(gradients.keys) == Set(reference.gradients.keys))
        for (name, gradient) in gradients {
            expectDistance(gradient.values, reference.gradients[name]!, below: 0.05, "gradient of \(name)")
        }
    }

    /// Weights -1, 0 and 1; those of the last layer small, so that the softmax does not saturate.
    private func wholeNumbers(_ network: Network) -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        let last = network.layers[network.layers.count - 1].name
        for (index, parameter) in network.parameters.enumerated() {
            let philox = Philox(seed: 13, stream: .initialization)
            let scale: Float = parameter.name.hasPrefix(last) ? 0x1p-14 : 1
            weights[parameter.name] = Tensor(
                shape: parameter.shape,
                values: (0..<parameter.shape.reduce(1, *)).map { element in
                    let word = philox.word(sequence: UInt32(index), element: element)
                    return (Float(word % 3) - 1) * scale
                })
        }
        return weights
    }

    /// The kernels in plain C do the same arithmetic in another order.
    @Test(arguments: OperatorCase.all, InstructionSet.allMixed.dropFirst())
    func mixedPrecisionAgreesWithPlainC(_ example: OperatorCase, on set: InstructionSet) throws {
        let images = Images(count: example.batch, shape: example.network.input, seed: 7)
        let labels = (0..<example.batch).map { Int32($0 % 5) }
        var logits: [[Float]] = []
        let gradients = try [InstructionSet.portable, set].map { set in
            let executor = try Executor(
                plan: try Plan(example.network, batchSize: example.batch, mode: .training, precision: .bf16),
                device: .cpu(threads: 2, instructionSet: set))
            executor.initialize(.xavier, seed: 3)
            try executor.load(scrambled(executor.weights))
            logits.append(executor.logits(images: images.engine, count: example.batch))
            _ = executor.backward(images: images.engine, labels: labels)
            return executor.gradientTensors
        }
        expectDistance(logits[1], logits[0], below: 0.005, "logits")
        #expect(!gradients[0].isEmpty && Set(gradients[0].keys) == Set(gradients[1].keys))
        for (name, gradient) in gradients[0] {
            // A sum at the edge between two bfloat16 numbers may round either way.
            expectDistance(gradients[1][name]!.values, gradient.values, below: 0.01, "gradient of \(name)")
        }
    }

    /// Winograd's algorithm adds and subtracts more than the definition does. Measured against double
    /// precision, its error is at most 2.2 times the direct convolution's, whose norm is some 1e-6 of the
    /// result's at these sizes; two convolutions, a pool and a linear layer stay below 1e-5.
    ///
    /// In bfloat16 each convolution's inputs and weights are rounded, relative error 2⁻⁹/√3 each, once more after
    /// their transforms; two convolutions and a linear layer come to 0.004, and to 0.007 by Winograd's F(2×2, 3×3).
    @Test(arguments: InstructionSet.allAvailable, Precision.allCases)
    func winogradErrorIsThatOfThePrecision(on set: InstructionSet, _ precision: Precision) throws {
        let layers = vggBlock(2, 128, 128).layers
        let network = try Network(
            input: .map(channels: 128, height: 14, width: 14),
            blocks: [.sequential(layers + [.flatten, .linear(Linear(128 * 49, 10))])])
        let executor = try Executor(
            plan: try Plan(network, batchSize: 1, mode: .inference, precision: precision),
            device: .cpu(threads: 2, instructionSet: set))
        executor.initialize(.kaiming, seed: 1)
        let images = Images(count: 1, shape: network.input, seed: 2)
        var reference = Reference(network, weights: executor.weights)
        let logits = reference.forward(images.reference, isTraining: false).flatMap(\.self)
        expectDistance(
            executor.logits(images: images.engine, count: 1), logits, below: precision == .fp32 ? 1e-5 : 0.01,
            "logits")
    }
}
