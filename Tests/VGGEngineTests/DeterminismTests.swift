import Testing
import VGGEngine
import VGGModel

@Suite struct DeterminismTests {
    /// Weights after three steps with dropout, momentum and batch norm on.
    private func train(
        threads: Int, _ precision: Precision, batchNorm: Bool, on set: InstructionSet
    ) throws -> [String: Tensor] {
        let network = try vgg([(1, 8), (2, 16)], size: 20, batchNorm: batchNorm)
        let executor = Executor(
            plan: try Plan(network, batchSize: 13, mode: .training, precision: precision),
            device: .cpu(threads: threads), instructionSet: set)
        executor.initialize(.kaiming, seed: 5)
        for step in 0..<3 {
            let images = Images(count: 13, shape: network.input, seed: UInt64(step))
            _ = executor.trainingStep(
                images: images.engine, labels: (0..<13).map { Int32($0 % 10) },
                optimizer: SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3), seed: 9,
                step: step)
        }
        return executor.weights.merging(executor.momentum.map { ("momentum." + $0, $1) }) { $1 }
    }

    @Test(arguments: Precision.allCases, InstructionSet.allAvailable)
    func isBitIdenticalForAnyNumberOfThreads(_ precision: Precision, on set: InstructionSet) throws {
        for batchNorm in [false, true] {
            let one = try train(threads: 1, precision, batchNorm: batchNorm, on: set)
            #expect(one.values.allSatisfy { $0.values.allSatisfy(\.isFinite) })
            #expect(try train(threads: 2, precision, batchNorm: batchNorm, on: set) == one)
            #expect(try train(threads: 7, precision, batchNorm: batchNorm, on: set) == one)
        }
    }

    @Test func dropoutKeepsItsShareAndScalesIt() throws {
        // One linear layer of weight one after dropout shows the mask in its weight gradient.
        let network = try Network(
            input: .map(channels: 10_000, height: 1, width: 1),
            blocks: [.sequential([.flatten, .dropout(0.3), .linear(Linear(10_000, 2))])])
        let executor = Executor(plan: try Plan(network, batchSize: 1, mode: .training))
        func mask(seed: UInt64, step: Int) -> [Bool] {
            let images = [Float](repeating: 1, count: 10_000)
            _ = executor.backward(images: images, labels: [0], seed: seed, step: step)
            let row = executor.gradientTensors["classifier.1.weight"]!.values.prefix(10_000)
            // Both logits are 0, so that the gradient is -1/2 of the input, which dropout scaled by 1/0.7.
            #expect(row.allSatisfy { $0 == 0 || abs($0 + 0.5 / 0.7) < 1e-6 })
            return row.map { $0 != 0 }
        }
        let first = mask(seed: 1, step: 0)
        let kept = Double(first.filter(\.self).count) / 10_000
        // Five standard deviations of the share of 10,000 draws.
        #expect(abs(kept - 0.7) < 5 * (0.3 * 0.7 / 10_000).squareRoot())
        #expect(mask(seed: 1, step: 0) == first)
        #expect(mask(seed: 1, step: 1) != first)
        #expect(mask(seed: 2, step: 0) != first)
        #expect(executor.logits(images: [Float](repeating: 1, count: 10_000), count: 1) == [0, 0])
    }
}
