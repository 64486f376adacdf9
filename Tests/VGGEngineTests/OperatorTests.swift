import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

/// Every operator, forward and backward, on every device, against the slow reference.
@Suite struct OperatorTests {
    /// A case's network on one device: what it says of a batch, and of the training that follows.
    private struct Run {
        let executor: Executor
        let images: ImageBatch

        /// - Parameters:
        ///   - spare: images by which the plan's batch is larger than the case's.
        ///   - weights: nil for random ones.
        init(
            _ example: OperatorCase, on device: Device, _ precision: Precision = .fp32,
            mode: Mode = .training,
            spare: Int = 0, weights: [String: Tensor]? = nil, images: ImageBatch? = nil
        ) throws {
            executor = try Executor(
                plan: try Plan(
                    example.network, batchSize: example.batch + spare, mode: mode, precision: precision),
                device: device)
            executor.initialize(.xavier, seed: 3)
            try executor.load(weights ?? scrambled(executor.weights))
            self.images = try images ?? OperatorTests.images(of: example)
        }

        func logits() -> [Float] { executor.logits(images) }

        func backward() -> BatchMetrics { executor.backward(images, seed: 9, step: 4) }
    }

    private static func images(
        of example: OperatorCase, change: (Float) -> Float = { $0 }
    ) throws -> ImageBatch {
        try randomImages(
            count: example.batch, shape: example.network.input, seed: 7,
            labels: (0..<example.batch).map { Int32($0 % 5) }, change: change)
    }

    @Test(arguments: OperatorCase.all, TestedDevice.all)
    func agreesWithTheReference(_ example: OperatorCase, on tested: TestedDevice) throws {
        let reference = try Run(example, on: .reference)
        let run = try Run(example, on: tested.device, spare: 1)
        #expect(reference.executor.weights == run.executor.weights)
        let logits = reference.logits()
        expectClose(run.logits(), logits, "logits")
        let inference = try Run(example, on: tested.device, mode: .inference)
        expectClose(inference.logits(), logits, "logits of an inference plan")

        let (expected, metrics) = (reference.backward(), run.backward())
        #expect(
            abs(metrics.lossSum - expected.lossSum) < 1e-5 * max(Double(expected.count), expected.lossSum))
        let (gradients, expectedGradients) = (
            run.executor.gradientTensors, reference.executor.gradientTensors
        )
        #expect(Set(gradients.keys) == Set(expectedGradients.keys))
        for (name, gradient) in gradients {
            let layer = name.replacing(/\.[a-z]+$/, with: ".weight")
            let scale = try #require(expectedGradients[layer]?.values.map { abs(Double($0)) }.max())
            expectClose(
                gradient.values, try #require(expectedGradients[name]).values, scale: scale,
                "gradient of \(name)")
        }
        let statistics = reference.executor.weights.filter { $0.key.contains("running_") }
        for (name, tensor) in run.executor.weights where name.contains("running_") {
            expectClose(tensor.values, try #require(statistics[name]).values, "\(name)")
        }
    }

    /// Three steps of an optimiser with everything on: what is updated at once, afterwards and in the head.
    @Test(
        arguments: OperatorCase.all.filter {
            ["two linear layers with ReLU", "batch norm"].contains($0.name)
        },
        TestedDevice.all)
    func updatesAsTheReferenceDoes(_ example: OperatorCase, on tested: TestedDevice) throws {
        let optimizer = Optimizer(
            learningRate: 0.05, headLearningRate: 0.2, momentum: 0.9, nesterov: true, weightDecay: 0.05,
            vectorWeightDecay: 0.2)
        let runs = try [Device.reference, tested.device].map { try Run(example, on: $0) }
        for run in runs {
            for step in 0..<3 {
                _ = run.executor.trainingStep(run.images, optimizer: optimizer, seed: 1, step: step)
            }
        }
        let (expected, found) = (runs[0].executor, runs[1].executor)
        for (name, tensor) in expected.weights {
            expectClose(try #require(found.weights[name]).values, tensor.values, tolerance: 1e-4, "\(name)")
        }
        #expect(
            Set(found.optimizerState.momentum.keys) == Set(expected.optimizerState.momentum.keys)
                && !found.optimizerState.momentum.isEmpty)
        for (name, tensor) in expected.optimizerState.momentum {
            let layer = name.replacing(/\.[a-z]+$/, with: ".weight")
            let scale = try #require(
                expected.optimizerState.momentum[layer]?.values.map { abs(Double($0)) }.max())
            expectClose(
                try #require(found.optimizerState.momentum[name]).values, tensor.values, tolerance: 1e-3,
                scale: scale,
                "momentum of \(name)")
        }
    }

    /// Mixed precision rounds activations, gradients and weights to 8 bits: 2⁻⁹ at each rounding at most. Over
    /// the few layers of a case the errors of many numbers average out, so norms are compared, not elements.
    @Test(arguments: OperatorCase.all, TestedDevice.mixed)
    func mixedPrecisionStaysCloseToTheReference(_ example: OperatorCase, on tested: TestedDevice) throws {
        let reference = try Run(example, on: .reference)
        let run = try Run(example, on: tested.device, .bf16, spare: 1)
        expectDistance(run.logits(), reference.logits(), below: 0.02, "logits")
        let inference = try Run(example, on: tested.device, .bf16, mode: .inference)
        #expect(inference.logits() == run.logits())

        let (expected, metrics) = (reference.backward(), run.backward())
        #expect(
            abs(metrics.lossSum - expected.lossSum) < 0.02 * max(Double(expected.count), expected.lossSum))
        // A ReLU or max pool may switch where rounding moves its input, and then moves a whole gradient.
        let switches = example.network.layers.contains {
            if case .maxPool = $0.layer { true } else { $0.layer == .relu }
        }
        let (gradients, expectedGradients) = (
            run.executor.gradientTensors, reference.executor.gradientTensors
        )
        #expect(Set(gradients.keys) == Set(expectedGradients.keys))
        for (name, gradient) in gradients where name.hasSuffix("weight") {
            expectDistance(
                gradient.values, try #require(expectedGradients[name]).values, below: switches ? 0.3 : 0.02,
                "gradient of \(name)")
        }
    }

    /// With small whole numbers the sums of two convolutions are exact, so that no ReLU and no pool switches:
    /// what is left is the rounding of gradients, 2⁻⁹ each at most, in sums over images that partly cancel.
    @Test(arguments: OperatorCase.all.filter(\.isExactInWholeNumbers), TestedDevice.mixed)
    func mixedPrecisionGradientsAreThoseOfTheReference(
        _ example: OperatorCase, on tested: TestedDevice
    ) throws {
        let weights = wholeNumbers(example.network)
        let images = try Self.images(of: example) { ($0 * 2).rounded() }
        let reference = try Run(example, on: .reference, weights: weights, images: images)
        let run = try Run(example, on: tested.device, .bf16, weights: weights, images: images)
        _ = reference.backward()
        _ = run.backward()
        let (gradients, expected) = (run.executor.gradientTensors, reference.executor.gradientTensors)
        #expect(Set(gradients.keys) == Set(expected.keys))
        for (name, gradient) in gradients {
            expectDistance(
                gradient.values, try #require(expected[name]).values, below: 0.05, "gradient of \(name)")
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
    @Test(arguments: OperatorCase.all, TestedDevice.mixed.dropFirst())
    func mixedPrecisionAgreesWithPlainC(_ example: OperatorCase, on tested: TestedDevice) throws {
        let runs = try [TestedDevice.mixed[0], tested].map { try Run(example, on: $0.device, .bf16) }
        let logits = runs.map { $0.logits() }
        // The processor's convolutions are not by the definition where there are channels enough, and round otherwise.
        let isProcessor = tested.device.properties.kind == .cpu
        expectDistance(logits[1], logits[0], below: isProcessor ? 0.005 : 0.02, "logits")
        let gradients = runs.map { run in
            _ = run.backward()
            return run.executor.gradientTensors
        }
        #expect(!gradients[0].isEmpty && Set(gradients[0].keys) == Set(gradients[1].keys))
        for (name, gradient) in gradients[0] where !example.biasesWithoutEffect.contains(name) {
            // A sum at the edge between two bfloat16 numbers may round either way. Another device follows the definition, and a
            // ReLU or a pool may switch.
            expectDistance(
                gradients[1][name]!.values, gradient.values,
                below: isProcessor || !example.isTransformedInMixedPrecision ? 0.01 : 0.3,
                "gradient of \(name)")
        }
    }

    /// Winograd's algorithm adds and subtracts more than the definition does. Measured against double
    /// precision, its error is at most 2.2 times the direct convolution's, whose norm is some 1e-6 of the
    /// result's at these sizes; two convolutions, a pool and a linear layer stay below 1e-5.
    ///
    /// In bfloat16 each convolution's inputs and weights are rounded, relative error 2⁻⁹/√3 each, once more after
    /// their transforms; two convolutions and a linear layer come to 0.004, and to 0.007 by Winograd's F(2×2, 3×3).
    @Test(arguments: TestedPrecision.all)
    func winogradErrorIsThatOfThePrecision(on tested: TestedPrecision) throws {
        let precision = tested.precision
        let three = vggBlock(2, 128, 128).layers
        let convolution = Layer.convolution(Convolution(128, 128, kernel: 5, padding: 2))
        let five = [convolution, .relu, convolution, .relu, .maxPool(Pool(window: 2, stride: 2))]
        for (layers, side) in [(three, 14), (three, 4), (three, 3), (three, 2), (five, 14), (five, 7)] {
            let network = try Network(
                input: .map(channels: 128, height: side, width: side),
                blocks: [
                    .sequential(layers + [.flatten, .linear(Linear(128 * (side / 2) * (side / 2), 10))])
                ]
            )
            let images = try randomImages(count: 1, shape: network.input, seed: 2)
            let logits = try [Device.reference, tested.device].map { device in
                let executor = try Executor(
                    plan: try Plan(network, batchSize: 1, mode: .inference, precision: precision),
                    device: device)
                executor.initialize(.kaiming, seed: 1)
                return executor.logits(images)
            }
            expectDistance(
                logits[1], logits[0], below: precision == .fp32 ? 1e-5 : 0.01, "logits at \(side)")
        }
    }
}
