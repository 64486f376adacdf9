import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// Trainings that start from weights.
@Suite struct FineTuningTests {
    let folder: TemporaryFolder
    /// The weights of a short training on four classes.
    let weights: String

    init() throws {
        folder = try TemporaryFolder()
        let run = folder.run("first")
        var configuration = smallConfiguration()
        configuration.epochs = 1
        _ = try trainer(configuration, folder: run).run()
        weights = run.modelPath
    }

    /// From the weights, with the first block frozen and a head for five classes.
    private func fineTuning(_ freeze: FrozenPart? = .blocks(1)) -> TrainingConfiguration {
        var configuration = smallConfiguration()
        configuration.initialWeights = weights
        configuration.model.classes = 5
        configuration.freeze = freeze
        configuration.optimizer.headLearningRate = 0.05
        return configuration
    }

    private func start(_ trainer: Trainer) throws -> TrainingStart? {
        var start: TrainingStart?
        _ = try trainer.run { if case .started(let found) = $0 { start = found } }
        return start
    }

    private let head = ["classifier.6.weight", "classifier.6.bias"]

    @Test(arguments: [nil, .blocks(1), .features] as [FrozenPart?])
    func frozenPartsStayAndTheOthersAreTrained(_ freeze: FrozenPart?) throws {
        let run = folder.run("run")
        let configuration = fineTuning(freeze)
        let start = try #require(try start(trainer(configuration, folder: run)))
        let before = try TrainedModel(runOrWeights: weights).weights
        let after = try TrainedModel(runOrWeights: run.path).weights
        let network = try configuration.model.network(size: configuration.size)
        let frozen = Set(
            try network.layers.prefix(freeze.map { try network.layerCount(of: $0) } ?? 0)
                .flatMap(\.parameters).map(\.name))
        for (name, tensor) in after {
            if head.contains(name) {
                #expect(tensor.shape.first == 5)
            } else {
                #expect((tensor == before[name]) == frozen.contains(name), "\(name)")
            }
        }
        let newHead = try #require(start.newHead)
        #expect(newHead.layer == "classifier.6" && newHead.classes == 5 && newHead.classesOfFile == 4)
        #expect(start.parameters == network.parameterCount)
        let frozenCount = network.parameters.filter { $0.isTrained && frozen.contains($0.name) }
            .map { $0.shape.reduce(1, *) }.reduce(0, +)
        #expect(start.trainedParameters == start.parameters - frozenCount)
        #expect(try run.readConfiguration() == configuration)
    }

    /// The head is that of a training from scratch with the same seed and --weight-init.
    @Test(arguments: Initialization.allCases)
    func aNewHeadIsInitialisedAsAnyOther(_ initialization: Initialization) throws {
        // So low a rate that nothing moves by a bit that counts.
        func weights(_ change: (inout TrainingConfiguration) -> Void) throws -> NamedTensors {
            let run = folder.run(UUID().uuidString)
            var configuration = fineTuning(nil)
            configuration.initialization = initialization
            configuration.maxSteps = 1
            configuration.optimizer = Optimizer(learningRate: 1e-20)
            change(&configuration)
            _ = try trainer(configuration, folder: run).run()
            return try TrainedModel(runOrWeights: run.path).weights
        }
        let scratch = try weights { $0.initialWeights = nil }
        let tuned = try weights { _ in }
        let otherSeed = try weights { $0.seed += 1 }
        let name = head[0]
        #expect(scratch[name] == tuned[name] && tuned[name] != otherSeed[name])
        #expect(scratch["classifier.0.weight"] != tuned["classifier.0.weight"])
        #expect(otherSeed["classifier.0.weight"] == tuned["classifier.0.weight"])
        // With as many classes as the file has, the head is its own.
        let original = try TrainedModel(runOrWeights: self.weights).weights
        #expect(try weights { $0.model.classes = 4 }[name] == original[name])
    }

    /// Every naming, and run folders.
    @Test(arguments: WeightNaming.allCases) func startsFromAnyNaming(_ naming: WeightNaming) throws {
        let model = try TrainedModel(runOrWeights: weights)
        let stored = try #require(model.stored)
        let path = "\(folder.path)/named"
        let network = try stored.model.network(size: stored.size)
        try model.writeSafetensors(network, stored, naming: naming, to: path)
        var results: [NamedTensors] = []
        for (index, start) in [path, folder.run("first").path, weights].enumerated() {
            let run = folder.run("\(naming)-\(index)")
            var configuration = fineTuning(.features)
            configuration.initialWeights = start
            configuration.maxSteps = 2
            _ = try trainer(configuration, folder: run).run()
            results.append(try run.tensors())
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    @Test(arguments: [2, 6, 8]) func goesOnAsIfNeverStopped(_ steps: Int) throws {
        let (whole, stopped) = (folder.run("whole"), folder.run("stopped"))
        _ = try trainer(fineTuning(), folder: whole).run()
        var done = 0
        _ = try trainer(fineTuning(), folder: stopped).run {
            if case .step = $0 { done += 1 }
        } shouldStop: {
            done >= steps
        }
        #expect(try stopped.tensors() != whole.tensors())
        // What the run started from is not needed again.
        try FileManager.default.removeItem(atPath: weights)
        let start = try #require(try start(trainer(fineTuning(), folder: stopped, resuming: true)))
        #expect(start.newHead?.layer == "classifier.6" && start.step == steps)
        #expect(try stopped.tensors() == whole.tensors())
        #expect(try stopped.bytes(\.modelPath) == whole.bytes(\.modelPath))
        // Momentum is saved for what is trained.
        let names = try stopped.tensors().names.filter { $0.hasPrefix("momentum.") }
        #expect(!names.isEmpty && names.allSatisfy { !$0.hasPrefix("momentum.features.0") })

        var other = fineTuning(.features)
        other.optimizer.headLearningRate = nil
        #expect(
            fineTuning().conflicts(with: other) == [
                SettingConflict(setting: .headLearningRate, stored: "0.05", given: "none"),
                SettingConflict(setting: .freeze, stored: "blocks:1", given: "features"),
            ])
    }

    @Test func estimates() throws {
        func memory(_ freeze: FrozenPart?) throws -> Int {
            try TrainingSetup(
                fineTuning(freeze), training: stripes(count: 44), test: stripes(count: 20),
                device: .cpu(threads: 2)
            ).memory.total
        }
        let sizes = try [memory(.features), memory(.blocks(1)), memory(nil)]
        #expect(sizes[0] < sizes[1] && sizes[1] < sizes[2])
    }

    @Test func namesTheTensorThatDoesNotFit() throws {
        func error(_ change: (inout TrainingConfiguration) -> Void) throws -> String {
            var configuration = fineTuning(nil)
            change(&configuration)
            let error = #expect(throws: FileError.self) { try trainer(configuration) }
            #expect(error?.path == weights)
            return error?.reason ?? ""
        }
        // Another network, and one more block.
        #expect(try error { $0.model.convArch = "1x4,1x16" }.contains("has the shape"))
        #expect(
            try error { $0.model.convArch = "1x4,1x8,1x8" }.contains("they have 2 convolutions, and it has 3")
        )
        #expect(try error { $0.model.arch = "vgg11" }.contains("features.1 is a batch norm"))
        // All fits but the inputs of the head.
        var file = try Safetensors(contentsOf: weights)
        file.tensors["classifier.6.weight"] = Tensor(zeros: [3, 17])
        try file.write(to: weights)
        #expect(try error { _ in }.contains("classifier.6.weight has the shape [3, 17]"))
        file.tensors["classifier.6.weight"] = nil
        try file.write(to: weights)
        #expect(try error { _ in } == "\(WeightsError.missing("classifier.6.weight"))")

        try Data("no weights".utf8).write(to: URL(fileURLWithPath: weights))
        _ = try error { _ in }
    }

    @Test func namesTheOptionAtFault() throws {
        func error(_ change: (inout TrainingConfiguration) -> Void) throws -> String {
            var configuration = fineTuning()
            change(&configuration)
            let error = #expect(throws: (any Error).self) { try configuration.validate() }
            return error.map { "\($0)" } ?? ""
        }
        #expect(try error { $0.freeze = .blocks(3) }.hasPrefix("`freeze` blocks:3 must be between"))
        #expect(try error { $0.initialWeights = nil }.hasPrefix("`freeze` needs weights"))
        for rate in [0, -1, Float.nan, .infinity] {
            #expect(
                try error { $0.optimizer.headLearningRate = rate }.hasPrefix("`headLearningRate` must be"))
        }
    }

    @Test func isRecordedAsJSON() throws {
        let configuration = fineTuning()
        let text = try JSONText.pretty(configuration)
        #expect(text.contains("\"freeze\" : \"blocks:1\"") && text.contains("\"head_learning_rate\" : 0.05"))
        #expect(try JSONText.decode(TrainingConfiguration.self, from: text) == configuration)
        // A configuration of a run that was started before there was fine-tuning.
        let plain = try JSONText.pretty(smallConfiguration())
        #expect(!plain.contains("freeze") && !plain.contains("head_learning_rate"))
        #expect(try JSONText.decode(TrainingConfiguration.self, from: plain) == smallConfiguration())
        #expect(throws: DecodingError.self) {
            try JSONText.decode(
                TrainingConfiguration.self, from: text.replacing("blocks:1", with: "some"))
        }
    }
}

/// The check before anything is reserved, with an amount of memory that is not the machine's.
@Suite struct MemoryCheckTests {
    /// The figures of the error, which must come before a run folder is made.
    private func error(_ freeMemory: Int, _ configuration: TrainingConfiguration) throws -> (
        bytes: Int, largestBatch: Int?
    )? {
        let folder = try TemporaryFolder()
        let error = #expect(throws: PlanError.self) {
            try TrainingSetup(
                configuration, training: stripes(count: 44), test: stripes(count: 20),
                device: .cpu(threads: 2).limited(toMemory: freeMemory), folder: folder.run("run"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        guard case .tooLarge(let size, let bytes, freeMemory, let largestBatch) = error else { return nil }
        #expect(size == configuration.batchSize)
        return (bytes, largestBatch)
    }

    private func fits(_ freeMemory: Int, _ configuration: TrainingConfiguration) throws {
        _ = try Trainer(
            TrainingSetup(
                configuration, training: stripes(count: 44), test: stripes(count: 20),
                device: .cpu(threads: 2).limited(toMemory: freeMemory)))
    }

    @Test func aTrainingThatDoesNotFitNamesTheBatchThatWould() throws {
        var configuration = smallConfiguration()
        configuration.batchSize = 4096
        let needed = try #require(try error(1, configuration))
        #expect(needed.largestBatch == nil)
        // The plan's, four batches of the data, and a copy of weights and momentum to be saved.
        let plan = try Plan(
            try configuration.model.network(size: 8), batchSize: 4096, mode: .training,
            precision: configuration.precision)
        let memory = Device.cpu(threads: 2).memory(of: plan, optimizer: configuration.optimizer)
        #expect(
            needed.bytes == memory.total + 4 * 4096 * 64 * 4 + memory.parameters + memory.optimizerState)

        let free = needed.bytes - 1
        let largest = try #require(try error(free, configuration)?.largestBatch)
        #expect(largest < 4096 && largest > 3000)
        try fits(needed.bytes, configuration)
        configuration.batchSize = largest
        try fits(free, configuration)
        configuration.batchSize = largest + 1
        #expect(try error(free, configuration)?.largestBatch == largest)
    }

    @Test func inferenceThatDoesNotFitDoesToo() throws {
        let path = Bundle.module.bundleURL.appending(path: "Goldens/tiny.pth").path
        let model = try TrainedModel(runOrWeights: path)
        let stored = try #require(model.stored)
        let network = try stored.model.network(size: stored.size)
        func executor(_ batchSize: Int, _ freeMemory: Int?) throws -> Executor {
            try model.executor(
                for: network, batchSize: batchSize, precision: .fp32,
                device: .cpu(threads: 1).limited(toMemory: freeMemory))
        }
        let plan = try Plan(network, batchSize: 9, mode: .inference)
        let free =
            Device.cpu(threads: 1).memory(of: plan, optimizer: nil).total + 4 * 9 * network.input.count * 4
        let error = #expect(throws: PlanError.self) { _ = try executor(1000, free) }
        guard case .tooLarge(1000, _, free, 9) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        _ = try executor(9, free)
        _ = try executor(1000, nil)
    }
}
