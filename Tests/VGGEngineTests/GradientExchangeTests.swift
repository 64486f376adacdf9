import Testing
import VGGEngine
import VGGModel
import VGGTestSupport

/// Backward, exchange and update as three calls.
@Suite struct GradientExchangeTests {
    private let optimizer = Optimizer(
        learningRate: 0.05, headLearningRate: 0.2, momentum: 0.9, nesterov: true, weightDecay: 0.01,
        vectorWeightDecay: 0)
    private func network() throws -> Network {
        try Network(
            input: .map(channels: 3, height: 12, width: 12),
            blocks: [
                vggBlock(2, 3, 16),
                .sequential([.flatten, .linear(Linear(16 * 36, 70)), .relu, .linear(Linear(70, 10))]),
            ])
    }

    private func images(seed: UInt64) throws -> ImageBatch {
        try randomImages(count: 6, shape: network().input, seed: seed, labels: [0, 1, 2, 3, 9, 4])
    }

    private func executor(on device: Device, _ precision: Precision = .fp32) throws -> Executor {
        let executor = try Executor(
            plan: try Plan(try network(), batchSize: 6, mode: .training, precision: precision), device: device
        )
        executor.initialize(.kaiming, seed: 3)
        return executor
    }

    @Test(arguments: TestedPrecision.allAndReference)
    func threeCallsAreATrainingStep(on tested: TestedPrecision) throws {
        let (one, three) = (
            try executor(on: tested.device, tested.precision),
            try executor(on: tested.device, tested.precision)
        )
        for step in 0..<2 {
            let images = try images(seed: UInt64(step))
            let metrics = one.trainingStep(images, optimizer: optimizer, step: step)
            #expect(three.backward(images, step: step) == metrics)
            three.update(with: optimizer)
        }
        #expect(one.weights == three.weights)
        #expect(
            one.optimizerState.momentum == three.optimizerState.momentum
                && !one.optimizerState.momentum.isEmpty)
    }

    /// What two halves of a batch exchange: the mean of their gradients.
    private struct Mean: GradientExchange {
        /// Of the first half, as long as the second has not asked.
        var first: [Float]?

        mutating func exchange(_ gradients: inout MutableSpan<Float>) {
            if let first {
                for index in gradients.indices { gradients[index] = (gradients[index] + first[index]) / 2 }
            } else {
                first = gradients.indices.map { gradients[$0] }
            }
        }
    }

    @Test(arguments: TestedDevice.allAndReference)
    func halvesThatExchangeAreTheWhole(on tested: TestedDevice) throws {
        let (whole, half) = (try executor(on: tested.device), try executor(on: tested.device))
        let images = try images(seed: 5)
        _ = whole.trainingStep(images, optimizer: optimizer)

        var exchange = Mean()
        for part in [images[0..<3], images[3..<6]] {
            _ = half.backward(part)
            try half.exchangeGradients(with: &exchange)
        }
        half.update(with: optimizer)
        let weights = whole.weights
        for (name, tensor) in half.weights {
            expectClose(tensor.values, try #require(weights[name]).values, tolerance: 1e-5, "\(name)")
        }
        #expect(exchange.first?.contains { $0 != 0 } == true)
    }

    private struct Broken: GradientExchange, Error {
        func exchange(_ gradients: inout MutableSpan<Float>) throws { throw self }
    }

    @Test func anExchangeMayFail() throws {
        let executor = try executor(on: .reference)
        _ = executor.backward(try images(seed: 5))
        var broken = Broken()
        #expect(throws: Broken.self) { try executor.exchangeGradients(with: &broken) }
    }
}
