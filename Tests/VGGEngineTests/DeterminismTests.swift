import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

@Suite struct DeterminismTests {
    /// Weights after three steps with dropout, momentum and batch norm on.
    private func train(
        threads: Int, _ precision: Precision, batchNorm: Bool, on set: InstructionSet
    ) throws -> [String: Tensor] {
        // A VGG with a small classifier: mixed precision in plain C is slow.
        let network = try Network(
            input: .map(channels: 1, height: 20, width: 20),
            blocks: [
                vggBlock(1, 1, 8, batchNorm: batchNorm), vggBlock(2, 8, 16, batchNorm: batchNorm),
                .sequential([
                    .flatten, .linear(Linear(16 * 25, 70)), .relu, .dropout(0.5), .linear(Linear(70, 10)),
                ]),
            ])
        let executor = try Executor(
            plan: try Plan(network, batchSize: 13, mode: .training, precision: precision),
            device: .cpu(threads: threads, instructionSet: set))
        executor.initialize(.kaiming, seed: 5)
        for step in 0..<3 {
            let images = try randomImages(
                count: 13, shape: network.input, seed: UInt64(step), labels: (0..<13).map { Int32($0 % 10) })
            _ = executor.trainingStep(
                images,
                optimizer: Optimizer(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3),
                seed: 9,
                step: step)
        }
        return executor.weights.merging(executor.optimizerState.momentum.map { ("momentum." + $0, $1) }) {
            $1
        }
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

    /// A network with a convolution of each algorithm and a linear layer after another. Of several panels, the last ones
    /// not full.
    private func network(batchNorm: Bool) throws -> Network {
        try Network(
            input: .map(channels: 3, height: 10, width: 10),
            blocks: [
                vggBlock(2, 3, 20, batchNorm: batchNorm), vggBlock(2, 20, 40, batchNorm: batchNorm),
                vggBlock(2, 40, 36, batchNorm: batchNorm),
                .sequential([
                    .convolution(Convolution(36, 40, kernel: 3, padding: 1)), .flatten,
                    .linear(Linear(40, 50)), .relu, .dropout(0.5), .linear(Linear(50, 10)),
                ]),
            ])
    }

    private func images(_ count: Int, _ network: Network) throws -> ImageBatch {
        try randomImages(
            count: count, shape: network.input, seed: 8, labels: (0..<count).map { Int32($0 * 7 % 10) })
    }

    private static let batches = [1, 2, 3, 7, 15, 16, 17, 31, 33, 128]

    /// Tasks are cut otherwise for each number of threads; sums are not.
    @Test(arguments: Precision.allCases, batches)
    func sumsAreTheSameForAnyThreadsAndBatch(_ precision: Precision, _ count: Int) throws {
        for batchNorm in [false, true] {
            let network = try network(batchNorm: batchNorm)
            let images = try images(count, network)
            var losses: Set<Double> = []
            var first: [String: Tensor]?
            for threads in [1, 2, 3, 5, 64] {
                let executor = try Executor(
                    plan: try Plan(network, batchSize: count, mode: .training, precision: precision),
                    device: .cpu(threads: threads))
                executor.initialize(.kaiming, seed: 5)
                losses.insert(executor.backward(images, seed: 1).lossSum)
                var tensors = executor.gradientTensors
                _ = executor.trainingStep(
                    images, optimizer: Optimizer(learningRate: 0.1, momentum: 0.9), seed: 1)
                tensors.merge(executor.weights.map { ("updated." + $0, $1) }) { $1 }
                #expect(tensors.values.allSatisfy { $0.values.allSatisfy(\.isFinite) })
                if let first { #expect(tensors == first, "\(threads) threads") } else { first = tensors }
            }
            #expect(losses.count == 1)
        }
    }

    /// What several machines will do: each computes a node alone, in memory for its images, with as many threads as it has.
    @Test(arguments: Precision.allCases, batches + [300])
    func partsOfABatchAddUpToTheBitsOfTheWhole(_ precision: Precision, _ count: Int) throws {
        let network = try network(batchNorm: false)
        let images = try images(count, network)
        let executor = try Executor(
            plan: try Plan(network, batchSize: count, mode: .training, precision: precision), device: .cpu)
        executor.initialize(.kaiming, seed: 5)
        let loss = executor.backward(images, seed: 1).lossSum
        let whole = executor.gradientTensors.mapValues { Array($0.values) }

        for parts in [2, 4, 16] {
            let (nodes, additions) = SumTree(images: count).nodes(parts)
            var losses: [Double] = []
            var gradients: [[String: [Float]]] = []
            for (index, node) in nodes.enumerated() {
                let part = try Executor(
                    plan: try Plan(
                        network, batchSize: node.images.count, mode: .training, precision: precision),
                    device: .cpu(threads: 1 + index % 3))
                part.initialize(.kaiming, seed: 5)
                let metrics = part.backward(images[node.images], of: node, seed: 1).metrics()
                losses.append(metrics.lossSum)
                gradients.append(part.gradientTensors.mapValues { Array($0.values) })
            }
            SumTree.forEachAddition(in: additions) { row, other in
                losses[row] += losses[other]
                gradients[row].merge(gradients[other]) { zip($0, $1).map(+) }
            }
            #expect(losses[0] == loss)
            #expect(gradients[0] == whole, "\(parts) parts")
        }
    }

    /// Work is dealt out in ranges of tiles, rows and panels, and a batch in parts, without changing a sum.
    @Test(arguments: Precision.allCases, InstructionSet.allAvailable)
    func inferenceIsBitIdenticalForAnyThreadsAndBatches(
        _ precision: Precision, on set: InstructionSet
    ) throws {
        let features = vggBlock(2, 32, 32).layers + vggBlock(1, 32, 48).layers
        let network = try Network(
            input: .map(channels: 32, height: 18, width: 22),
            blocks: [
                .sequential(
                    features + [.flatten, .linear(Linear(48 * 20, 40)), .relu, .linear(Linear(40, 7))])
            ])
        let images = try randomImages(count: 9, shape: network.input, seed: 1)
        var results: Set<[Float]> = []
        for threads in [1, 2, 7] {
            let executor = try Executor(
                plan: try Plan(network, batchSize: 9, mode: .inference, precision: precision),
                device: .cpu(threads: threads, instructionSet: set))
            executor.initialize(.kaiming, seed: 5)
            results.insert(executor.logits(images))
            results.insert((0..<9).flatMap { executor.logits(images[$0..<$0 + 1]) })
        }
        #expect(results.count == 1)
    }

    @Test func dropoutKeepsItsShareAndScalesIt() throws {
        // One linear layer of weight one after dropout shows the mask in its weight gradient.
        let network = try Network(
            input: .map(channels: 10_000, height: 1, width: 1),
            blocks: [.sequential([.flatten, .dropout(0.3), .linear(Linear(10_000, 2))])])
        let executor = try Executor(plan: try Plan(network, batchSize: 1, mode: .training), device: .cpu)
        let ones = try ImageBatch(
            [Float](repeating: 1, count: 10_000), shape: network.input, labels: [0])
        func mask(seed: UInt64, step: Int) -> [Bool] {
            _ = executor.backward(ones, seed: seed, step: step)
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
        #expect(executor.logits(ones) == [0, 0])
    }

    /// The kernels draw the words that `Philox` draws, on every instruction set.
    @Test(arguments: InstructionSet.allAvailable)
    func dropoutDrawsPhiloxWords(on set: InstructionSet) throws {
        let network = try Network(
            input: .map(channels: 203, height: 1, width: 1),
            blocks: [.sequential([.flatten, .dropout(0.25), .linear(Linear(203, 2))])])
        let executor = try Executor(
            plan: try Plan(network, batchSize: 3, mode: .training), device: .cpu(instructionSet: set))
        let ones = [Float](repeating: 1, count: 203)
        for image in 0..<3 {
            // One image at a time has a gradient, through the last image's label.
            var images = [Float](repeating: 0, count: 3 * 203)
            images.replaceSubrange(image * 203..<(image + 1) * 203, with: ones)
            let batch = try ImageBatch(images, count: 3, shape: network.input, labels: [0, 0, 0])
            _ = executor.backward(batch, seed: 77, step: 5)
            let row = executor.gradientTensors["classifier.1.weight"]!.values.prefix(203)
            let philox = Philox(seed: 77, stream: .dropout)
            let kept = (0..<203).map { element in
                // Layer 1 of the network; an image's elements start at a multiple of four.
                let words = philox.words(
                    sequence: 5, index: UInt64(1) << 32 | UInt64((image * 204 + element) / 4))
                return words[element % 4] >= UInt32(0.25 * 0x1p32)
            }
            #expect(row.map { $0 != 0 } == kept)
        }
    }

    /// A training step updates linear weights without storing their gradients; by hand the same must come out.
    @Test(arguments: Precision.allCases)
    func updatesWhatTheGradientsSay(_ precision: Precision) throws {
        let network = try vgg([(1, 8)], size: 8, dropout: 0)
        let plan = try Plan(network, batchSize: 5, mode: .training, precision: precision)
        let images = try randomImages(
            count: 5, shape: network.input, seed: 4, labels: [0, 1, 2, 3, 9])
        let (byHand, atOnce) = (
            try Executor(plan: plan, device: .cpu), try Executor(plan: plan, device: .cpu)
        )
        for executor in [byHand, atOnce] { executor.initialize(.xavier, seed: 6) }
        _ = byHand.backward(images)
        _ = atOnce.trainingStep(images, optimizer: Optimizer(learningRate: 0.5, weightDecay: 0.01))
        let gradients = byHand.gradientTensors
        #expect(Set(gradients.keys) == Set(network.parameters.filter(\.isTrained).map(\.name)))
        for (name, gradient) in gradients {
            let start = byHand.weights[name]!.values
            let expected = zip(start, gradient.values).map {
                Double($0) - 0.5 * (Double($1) + 0.01 * Double($0))
            }
            expectClose(atOnce.weights[name]!.values, expected, tolerance: 1e-6, "\(name)")
        }
    }
}
