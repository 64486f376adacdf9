import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

/// Training with the first layers frozen.
@Suite struct FrozenTests {
    /// Two blocks and a classifier.
    private func network(batchNorm: Bool, dropout: Double = 0.5) throws -> Network {
        try Network(
            input: .map(channels: 3, height: 18, width: 18),
            blocks: [
                vggBlock(2, 3, 16, batchNorm: batchNorm), vggBlock(2, 16, 32, batchNorm: batchNorm),
                .sequential([
                    .flatten, .linear(Linear(32 * 16, 70)), .relu, .dropout(dropout), .linear(Linear(70, 10)),
                ]),
            ])
    }

    private func executor(
        _ network: Network, _ precision: Precision = .fp32, frozenLayers: Int,
        on device: Device = .cpu(threads: 2)
    ) throws -> Executor {
        let executor = try Executor(
            plan: try Plan(
                network, batchSize: 7, mode: .training, precision: precision, frozenLayers: frozenLayers),
            device: device)
        executor.initialize(.kaiming, seed: 11)
        return executor
    }

    private let labels: [Int32] = [0, 1, 2, 3, 9, 4, 5]

    private func step(_ executor: Executor, _ index: Int, optimizer: Optimizer) throws {
        let images = try randomImages(
            count: 7, shape: executor.plan.network.input, seed: UInt64(index), labels: labels)
        _ = executor.trainingStep(images, optimizer: optimizer, seed: 3, step: index)
    }

    /// Names of the parameters of the first layers, running statistics included.
    private func names(_ network: Network, _ layers: Int) -> Set<String> {
        Set(network.layers.prefix(layers).flatMap(\.parameters).map(\.name))
    }

    @Test(arguments: TestedPrecision.all, [FrozenPart.blocks(1), .features])
    func frozenWeightsKeepEveryBitAndTheOthersChange(on tested: TestedPrecision, _ part: FrozenPart) throws {
        for batchNorm in [false, true] {
            let network = try network(batchNorm: batchNorm)
            let layers = try network.layerCount(of: part)
            let frozen = names(network, layers)
            let executor = try executor(network, tested.precision, frozenLayers: layers, on: tested.device)
            let before = executor.weights
            // Weight decay would move what has no gradient.
            let optimizer = Optimizer(learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01)
            for index in 0..<2 { try step(executor, index, optimizer: optimizer) }
            for (name, tensor) in executor.weights {
                #expect((tensor == before[name]) == frozen.contains(name), "\(name)")
            }
            let trained = Set(network.parameters.filter(\.isTrained).map(\.name)).subtracting(frozen)
            #expect(Set(executor.optimizerState.momentum.keys) == trained)
            #expect(Set(executor.gradientTensors.keys) == trained)
        }
    }

    /// Without batch norm the frozen layers compute what they do when they are trained.
    @Test(arguments: TestedDevice.all, [FrozenPart.blocks(1), .features])
    func gradientsAreThoseOfAFullTraining(on tested: TestedDevice, _ part: FrozenPart) throws {
        let network = try network(batchNorm: false)
        let images = try randomImages(count: 7, shape: network.input, seed: 5, labels: labels)
        let full = try executor(network, frozenLayers: 0, on: tested.device)
        let frozen = try executor(
            network, frozenLayers: network.layerCount(of: part), on: tested.device)
        let expected = full.backward(images, seed: 2, step: 1)
        #expect(frozen.backward(images, seed: 2, step: 1) == expected)
        let gradients = frozen.gradientTensors
        #expect(gradients.count < full.gradientTensors.count)
        #expect(!gradients.isEmpty)
        for (name, gradient) in gradients { #expect(gradient == full.gradientTensors[name], "\(name)") }
    }

    /// With the features frozen and no dropout, training computes what inference does, batch norm or not.
    @Test(arguments: TestedPrecision.all) func frozenBatchNormUsesItsRunningStatistics(
        on tested: TestedPrecision
    ) throws {
        let network = try network(batchNorm: true, dropout: 0)
        let images = try randomImages(count: 7, shape: network.input, seed: 6, labels: labels)
        for isFrozen in [true, false] {
            let executor = try executor(
                network, tested.precision, frozenLayers: isFrozen ? network.layerCount(of: .features) : 0,
                on: tested.device)
            // Statistics that are neither those of a batch nor the initial ones.
            var weights = executor.weights
            for (name, tensor) in weights where name.contains("running") {
                weights[name] = Tensor(
                    shape: tensor.shape, values: tensor.values.map { $0 * 0.5 + 0.25 })
            }
            try executor.load(weights)
            let inference = executor.evaluate(images)
            #expect((executor.backward(images) == inference) == isFrozen)
        }
    }

    @Test func theHeadHasARateOfItsOwn() throws {
        let network = try network(batchNorm: false)
        let optimizer = Optimizer(learningRate: 0.05, momentum: 0.5, weightDecay: 0.01)
        var withHead = optimizer
        withHead.headLearningRate = 0.4
        let (plain, other) = (
            try executor(network, frozenLayers: 0), try executor(network, frozenLayers: 0)
        )
        let before = plain.weights
        try step(plain, 0, optimizer: optimizer)
        try step(other, 0, optimizer: withHead)
        let head = Set(try #require(network.head).parameters.map(\.name))
        #expect(head == ["classifier.3.weight", "classifier.3.bias"])
        #expect(Set(other.weights.keys) == Set(network.parameters.map(\.name)))
        for (name, tensor) in other.weights {
            let expected = try #require(plain.weights[name])
            guard head.contains(name), let start = before[name] else {
                #expect(tensor == expected, "\(name)")
                continue
            }
            // The same direction, eight times as far.
            let far = zip(expected.values, start.values).map { Double($1) + 8 * (Double($0) - Double($1)) }
            expectClose(tensor.values, far, tolerance: 1e-5, "\(name)")
            #expect(tensor != start)
        }
    }

    @Test(arguments: Precision.allCases) func aFrozenPlanTakesLessMemory(_ precision: Precision) throws {
        let network = try ModelSpecification.slimVGG11.network(size: 96)
        func memory(_ part: FrozenPart?) throws -> PlanMemory {
            let layers = try part.map { try network.layerCount(of: $0) } ?? 0
            let plan = try Plan(
                network, batchSize: 32, mode: .training, precision: precision, frozenLayers: layers)
            return Device.cpu(threads: 2)
                .memory(of: plan, optimizer: Optimizer(learningRate: 0.1, momentum: 0.9))
        }
        let sizes = try [nil, .blocks(1), .blocks(3), .features].map { try memory($0) }
        for (more, less) in zip(sizes, sizes.dropFirst()) {
            #expect(more.parameters == less.parameters)
            #expect(more.gradients > less.gradients && more.optimizerState > less.optimizerState)
            #expect(more.activations > less.activations && more.scratch >= less.scratch)
        }
        // What is trained has momentum (the head's ten rows are kept as 16); the linear layers' weights have no
        // stored gradients.
        let classifier = network.layers.dropFirst(try network.layerCount(of: .features))
        let trained = classifier.map(\.parameterCount).reduce(0, +)
        #expect(
            sizes[3].optimizerState >= 4 * trained
                && sizes[3].optimizerState < 4 * (trained + 6 * 4096) + 1000)
        #expect(sizes[3].gradients < 4 * (4096 + 4096 + 10) + 1000)
        let inference = try Plan(network, batchSize: 32, mode: .inference, precision: precision)
        #expect(sizes[3].activations < sizes[0].activations / 2)
        #expect(sizes[3].activations > Device.cpu.memory(of: inference, optimizer: nil).activations)
    }

    @Test func frozenStepsHaveNoBackwardPass() throws {
        let network = try network(batchNorm: true)
        let plan = try Plan(
            network, batchSize: 7, mode: .training, frozenLayers: try network.layerCount(of: .blocks(1)))
        let steps = Device.cpu.steps(of: plan)
        #expect(steps.prefix { $0.backward.isEmpty }.map(\.name).last == "features.3…features.6")
        // The first step that is trained needs no gradient of its input.
        let first = try #require(steps.first { !$0.backward.isEmpty })
        #expect(first.name == "features.7…features.9")
        #expect(first.backward == "norm_gradient, winograd_weight_gradient")
        #expect(plan.trainedParameterCount == network.layers.dropFirst(7).map(\.parameterCount).reduce(0, +))
    }

    @Test func knowsItsPartsAndTheirLimits() throws {
        let network = try ModelSpecification.slimVGG11.network(size: 32)
        #expect(try network.layerCount(of: .blocks(1)) == 3)
        #expect(try network.layerCount(of: .blocks(3)) == 11)
        let features = try network.layerCount(of: .features)
        #expect(try network.layerCount(of: .blocks(5)) == features)
        for part in [FrozenPart.blocks(0), .blocks(6), .blocks(-1)] {
            let error = #expect(throws: ModelError.self) { try network.layerCount(of: part) }
            #expect(error?.description.hasPrefix("`freeze` blocks:") == true)
        }
        var alexNet = ModelSpecification()
        alexNet.arch = "alexnet"
        let other = try alexNet.network(size: 96)
        #expect(try other.layers[other.layerCount(of: .features)].layer == .flatten)
        #expect(throws: ModelError.self) { try other.layerCount(of: .blocks(1)) }
        #expect(throws: PlanError.nothingToTrain) {
            try Plan(network, batchSize: 1, mode: .training, frozenLayers: network.layers.count)
        }
        for text in ["features", "blocks:3"] {
            #expect(FrozenPart(rawValue: text)?.rawValue == text)
        }
        for text in ["", "none", "blocks", "blocks:", "blocks:x", "blocks:1:2", "Features"] {
            #expect(FrozenPart(rawValue: text) == nil)
        }
    }
}

/// Fine-tuning that PyTorch did, as Scripts/goldens/finetuning.py describes it.
@Suite struct GoldenFineTuningTests {
    struct Run: Decodable {
        let name: String
        let freeze: String
        let learningRate: Float
        let headLearningRate: Float
        let momentum: Float
        let nesterov: Bool
        let weightDecay: Float
    }

    @Test func stepsAgreeWithPyTorch() throws {
        let file = try golden("finetuning")
        let runs = try JSONDecoder().decode([Run].self, from: Data(try #require(file.metadata["runs"]).utf8))
        #expect(runs.map(\.freeze) == ["blocks:1", "features"])
        let images = try #require(file.tensors["images"])
        let (steps, batch) = (images.shape[0], images.shape[1])
        let labels = try #require(file.tensors["labels"]).values.map { Int32($0) }
        let network = try vgg(
            [(1, 8), (1, 16)], size: images.shape[2], inChannels: 3, classes: 5, dropout: 0, batchNorm: true,
            hiddenFeatures: [16, 16])
        for run in runs {
            let executor = try Executor(
                plan: try Plan(
                    network, batchSize: batch, mode: .training,
                    frozenLayers: try network.layerCount(of: try #require(FrozenPart(rawValue: run.freeze)))),
                device: .cpu)
            var initial: [String: Tensor] = [:]
            for parameter in network.parameters {
                initial[parameter.name] = file.tensors["initial/\(parameter.name)"]
            }
            try executor.load(initial)
            let count = images.values.count / steps
            let losses = try (0..<steps).map { step in
                let numbers = images.values[step * count..<(step + 1) * count]
                let metrics = executor.trainingStep(
                    try ImageBatch(
                        channelsFirst(numbers, channels: 3, pixels: network.input.count / 3), count: batch,
                        shape: network.input, labels: Array(labels[step * batch..<(step + 1) * batch])),
                    optimizer: Optimizer(
                        learningRate: run.learningRate, headLearningRate: run.headLearningRate,
                        momentum: run.momentum, nesterov: run.nesterov, weightDecay: run.weightDecay),
                    step: step)
                return Float(metrics.lossSum / Double(metrics.count))
            }
            func values(_ name: String) throws -> [Double] {
                try #require(file.tensors["\(run.name)/\(name)"]).values.map(Double.init)
            }
            expectClose(losses, try values("losses"), tolerance: 1e-5, "losses of \(run.name)")
            let weights = executor.weights
            #expect(Set(weights.keys) == Set(initial.keys))
            for (name, tensor) in weights {
                expectClose(tensor.values, try values("final/\(name)"), "\(name) of \(run.name)")
            }
        }
    }
}
