import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGFormats
import VGGModel
import VGGTestSupport

/// Ten steps with each of torch's optimisers, and timm's average of the weights (Scripts/goldens/optimizers.py).
@Suite struct OptimizerTests {
    struct Run: Decodable {
        struct Average: Decodable {
            let decay: Double
            let warmup: Bool
        }

        let name: String
        let opt: Optimizer.Kind
        let learningRate: Float
        let headLearningRate: Float?
        let bnBiasLrScale: Float?
        let clipGrad: Float?
        let parts: Int?
        let momentum: Float?
        let dampening: Float?
        let nesterov: Bool?
        let weightDecay: Float?
        let noNormDecay: Bool?
        let betas: [Double]?
        let eps: Double?
        let average: Average

        var optimizer: Optimizer {
            Optimizer(
                opt, learningRate: learningRate, headLearningRate: headLearningRate,
                bnBiasLrScale: bnBiasLrScale, momentum: momentum ?? 0, dampening: dampening,
                nesterov: nesterov ?? false, weightDecay: weightDecay ?? 0,
                vectorWeightDecay: noNormDecay == true ? 0 : nil, betas: betas, eps: eps,
                average: WeightAverage(decay: average.decay, usesWarmup: average.warmup))
        }
    }

    /// Everything that an optimiser may be.
    static let optimizers = [
        Optimizer(learningRate: 0.1),
        Optimizer(
            learningRate: 0.05, momentum: 0.9, dampening: 0.2, weightDecay: 0.01,
            average: WeightAverage(decay: 0.7)),
        Optimizer(.adam, learningRate: 0.01, weightDecay: 0.1),
        Optimizer(
            .adamw, learningRate: 0.01, headLearningRate: 0.02, weightDecay: 0.1, vectorWeightDecay: 0,
            average: WeightAverage(decay: 0.9, usesWarmup: true)),
    ]

    private let network = Result {
        try vgg(
            [(1, 8)], size: 8, inChannels: 3, classes: 5, dropout: 0, batchNorm: true,
            hiddenFeatures: [16, 16])
    }

    private func executor(
        _ device: Device = .cpu, _ weights: [String: Tensor]? = nil, _ precision: Precision = .fp32
    ) throws -> Executor {
        let executor = try Executor(
            plan: Plan(network.get(), batchSize: 6, mode: .training, precision: precision), device: device)
        if let weights { try executor.load(weights) } else { executor.initialize(.kaiming, seed: 4) }
        return executor
    }

    private func images(_ step: Int) throws -> ImageBatch {
        try randomImages(
            count: 6, shape: network.get().input, seed: UInt64(step), labels: [0, 1, 2, 3, 4, 0])
    }

    @Test(arguments: TestedDevice.allAndReference) func stepsAreTorchs(on tested: TestedDevice) throws {
        let file = try golden("optimizers")
        let runs = try JSONDecoder().decode([Run].self, from: Data(try #require(file.metadata["runs"]).utf8))
        #expect(
            Set(runs.map(\.opt)) == Set(Optimizer.Kind.allCases),
            "Scripts/goldens/optimizers.py has a run of each")
        let images = try #require(file.tensors["images"])
        let labels = try #require(file.tensors["labels"]).values.map { Int32($0) }
        let (steps, batch, count) = (images.shape[0], images.shape[1], images.shape[1...].reduce(1, *))
        let network = try network.get()
        let initial = try network.parameters.map { parameter in
            (parameter.name, try #require(file.tensors["initial/\(parameter.name)"]))
        }
        for run in runs {
            let executor = try executor(tested.device, Dictionary(uniqueKeysWithValues: initial))
            let losses = try (0..<steps).map { step in
                let metrics = try train(
                    executor,
                    ImageBatch(
                        Array(images.values[step * count..<(step + 1) * count]), count: batch,
                        shape: network.input, labels: Array(labels[step * batch..<(step + 1) * batch])), run)
                return Float(metrics.lossSum / Double(metrics.count))
            }
            func values(_ name: String) throws -> [Float] {
                Array(try #require(file.tensors["\(run.name)/\(name)"], "\(name)").values)
            }
            // PyTorch's own single precision stays within 1e-6.
            expectClose(losses, try values("losses"), tolerance: 1e-5, "losses of \(run.name)")
            for (part, tensors) in [
                ("final", executor.weights), ("average", executor.optimizerState.average),
            ] {
                #expect(tensors.count == initial.count)
                for (name, tensor) in tensors {
                    // A gradient of zero but for rounding, which Adam divides by itself.
                    if run.opt != .sgd, name == "features.0.bias" || name.hasSuffix("mean") { continue }
                    expectClose(
                        tensor.values, try values("\(part)/\(name)"), tolerance: 1e-5,
                        "\(part) \(name) of \(run.name)")
                }
            }
        }
    }

    /// One step, of parts of the batch and with shorter gradients where the run says so.
    private func train(_ executor: Executor, _ images: ImageBatch, _ run: Run) throws -> BatchMetrics {
        guard run.parts != nil || run.clipGrad != nil else {
            return executor.trainingStep(images, optimizer: run.optimizer)
        }
        let count = images.count / (run.parts ?? 1)
        var sum = GradientSum()
        sum.share = Float(count) / Float(images.count)
        var metrics = BatchMetrics(lossSum: 0, correct: 0, count: 0)
        for start in stride(from: 0, to: images.count, by: count) {
            metrics.add(executor.backward(images[start..<start + count]))
            try executor.exchangeGradients(with: &sum)
        }
        if let clipGrad = run.clipGrad {
            let squares = executor.gradientTensors.values.flatMap {
                $0.values.map { Double($0) * Double($0) }
            }
            let norm = executor.clipGradients(to: clipGrad)
            // Nothing but gradients is in the buffer.
            expectClose([norm], [squares.reduce(0, +).squareRoot()], tolerance: 1e-6, "norm")
        }
        executor.update(with: run.optimizer)
        return metrics
    }

    /// What is updated as its gradient is made has the bits of an update afterwards, on any number of threads.
    @Test(arguments: optimizers, Precision.allCases)
    func updatesAtOnceAreTheSame(_ optimizer: Optimizer, _ precision: Precision) throws {
        for set in InstructionSet.allAvailable {
            let (one, three) = (
                try executor(.cpu(threads: 3, instructionSet: set), nil, precision),
                try executor(.cpu(threads: 1, instructionSet: set), nil, precision)
            )
            for step in 0..<3 {
                _ = one.trainingStep(try images(step), optimizer: optimizer, step: step)
                _ = three.backward(try images(step), step: step)
                three.update(with: optimizer)
            }
            #expect(one.weights == three.weights, "\(set)")
            let state = one.optimizerState
            #expect(state == three.optimizerState && state.updates == 3, "\(set)")
            #expect(state.momentum.isEmpty == !optimizer.hasMomentum)
            #expect(state.secondMoment.isEmpty == (optimizer.kind == .sgd))
            #expect(state.average.isEmpty == (optimizer.average == nil))
        }
    }

    @Test(arguments: optimizers, TestedDevice.allAndReference)
    func goesOnWithItsState(_ optimizer: Optimizer, on tested: TestedDevice) throws {
        let first = try executor(tested.device)
        for step in 0..<2 { _ = first.trainingStep(try images(step), optimizer: optimizer) }
        let second = try executor(tested.device, first.weights)
        try second.load(first.optimizerState)
        for executor in [first, second] { _ = executor.trainingStep(try images(2), optimizer: optimizer) }
        #expect(second.optimizerState.updates == 3)
        for (name, tensor) in first.weights {
            // The reference's numbers lose their double precision on the way.
            expectClose(try #require(second.weights[name]).values, tensor.values, tolerance: 1e-6, "\(name)")
        }
        if tested.device.name == "cpu" {
            #expect(second.weights == first.weights && second.optimizerState == first.optimizerState)
        }
    }

    @Test(arguments: TestedDevice.allAndReference) func theAverageTakesTheWeightsPlace(
        on tested: TestedDevice
    ) throws {
        let executor = try executor(tested.device)
        let optimizer = Optimizer(learningRate: 0.2, momentum: 0.9, average: WeightAverage(decay: 0.6))
        for step in 0..<4 { _ = executor.trainingStep(try images(step), optimizer: optimizer) }
        let (weights, state) = (executor.weights, executor.optimizerState)
        let other = try self.executor(tested.device, state.average)
        let images = try images(9)
        #expect(state.average["features.1.running_var"] != weights["features.1.running_var"])
        let logits = executor.withAverage { executor.logits(images) }
        #expect(logits != executor.logits(images))
        expectClose(logits, other.logits(images), tolerance: 1e-6, "logits")
        #expect(executor.weights == weights && executor.optimizerState == state)
        // Without one, the weights are taken.
        #expect(other.withAverage { other.logits(images) } == other.logits(images))
    }

    /// What is frozen is in the average as it is.
    @Test func whatIsFrozenIsItsOwnAverage() throws {
        let network = try vgg(
            [(1, 8), (1, 8)], size: 8, inChannels: 3, classes: 5, dropout: 0, batchNorm: true,
            hiddenFeatures: [16])
        let executor = try Executor(
            plan: Plan(
                network, batchSize: 6, mode: .training,
                frozenLayers: network.layerCount(of: try #require(FrozenPart(rawValue: "blocks:1")))),
            device: .cpu)
        executor.initialize(.kaiming, seed: 4)
        let optimizer = Optimizer(.adamw, learningRate: 0.01, average: WeightAverage(decay: 0.6))
        for step in 0..<3 { _ = executor.trainingStep(try images(step), optimizer: optimizer) }
        let (weights, average) = (executor.weights, executor.optimizerState.average)
        #expect(Set(average.keys) == Set(weights.keys))
        for (name, tensor) in weights {
            #expect(
                (average[name] == tensor) == (name.hasPrefix("features.0") || name.hasPrefix("features.1.")),
                "\(name)")
        }
    }

    @Test func memoryIsCounted() throws {
        let plan = try Plan(network.get(), batchSize: 6, mode: .training)
        func memory(_ optimizer: Optimizer) -> PlanMemory {
            Device.cpu.memory(of: plan, optimizer: optimizer)
        }
        let none = memory(Optimizer(learningRate: 1))
        let one = memory(Optimizer(learningRate: 1, momentum: 0.5)).optimizerState
        #expect(none.optimizerState == 0 && one > 0)
        #expect(memory(Optimizer(.adam, learningRate: 1)).optimizerState == 2 * one)
        let all = memory(Optimizer(.adamw, learningRate: 1, average: WeightAverage())).optimizerState
        #expect(all == 2 * one + none.parameters)
    }
}
