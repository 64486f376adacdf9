import Foundation
import Testing
import VGGEngine
import VGGFiles
import VGGModel
import VGGTraining

@Suite struct ConfigurationTests {
    @Test func isTheChaptersExperimentByDefault() throws {
        let configuration = TrainingConfiguration()
        #expect(configuration.data == "fashion-mnist")
        #expect(try configuration.model.network(size: configuration.size).parameterCount == 43_093_322)
        #expect(configuration.epochs == 10 && configuration.batchSize == 128)
        #expect(configuration.optimizer.learningRate == 0.05 && configuration.optimizer.momentum == 0)
    }

    @Test func survivesAsJSON() throws {
        var configuration = smallConfiguration()
        configuration.seed = .max
        configuration.optimizer.learningRate = 0.1
        configuration.maxSteps = 12
        configuration.initialWeights = "a/\"b\".safetensors"
        (configuration.schedule, configuration.augmentation) = (changingSchedule(), everyAugmentation())
        let text = try JSONText.pretty(configuration)
        #expect(try JSONText.decode(TrainingConfiguration.self, from: text) == configuration)
        #expect(text.contains("\"learning_rate\" : 0.1"))
        // Names of the public format.
        for name in ["sched", "warmup_lr", "crop_padding", "alternating_flip", "color_jitter"] {
            #expect(text.contains("\"\(name)\""), "\(name)")
        }
    }

    /// Runs from before there were any have neither member.
    @Test func whatIsNotSaidIsNotWritten() throws {
        let text = try JSONText.pretty(smallConfiguration())
        #expect(!text.contains("schedule") && !text.contains("augmentation"))
        #expect(try JSONText.decode(TrainingConfiguration.self, from: text) == smallConfiguration())
    }

    @Test func doublesSurviveAsJSON() throws {
        for value in [0.1 + 0.2, .pi * 1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3] {
            #expect(try JSONText.decode([Double].self, from: JSONText.line([value])) == [value])
        }
    }

    typealias Change = @Sendable (inout TrainingConfiguration) -> Void
    static let mistakes: [(String, Change)] = [
        ("`epochs`", { $0.epochs = 0 }), ("`batchSize`", { $0.batchSize = -1 }),
        ("`learningRate`", { $0.optimizer.learningRate = 0 }),
        ("`learningRate`", { $0.optimizer.learningRate = .nan }),
        ("`momentum`", { $0.optimizer.momentum = 1 }), ("`nesterov`", { $0.optimizer.momentum = 0 }),
        ("`weightDecay`", { $0.optimizer.weightDecay = -1 }), ("`trainLimit`", { $0.trainLimit = 0 }),
        ("`patience`", { $0.patience = 0 }), ("`validationSplit`", { $0.validationSplit = 1 }),
        ("`testLimit`", { $0.testLimit = 0 }), ("`maxSteps`", { $0.maxSteps = 0 }),
        ("`epochs`", { $0.epochs = 1_000_001 }), ("`batchSize`", { $0.batchSize = 65537 }),
        ("`trainLimit`", { $0.trainLimit = .max }), ("`testLimit`", { $0.testLimit = .max }),
        ("`maxSteps`", { $0.maxSteps = .max }), ("`size`", { $0.size = .max }),
        ("`size`", { $0.size = 0 }), ("`classes`", { $0.model.classes = 0 }),
        ("`dropout`", { $0.model.dropout = 1 }), ("`widthDivisor`", { $0.model.widthDivisor = 3 }),
        ("`noNormDecay`", { ($0.optimizer.weightDecay, $0.optimizer.vectorWeightDecay) = (0, 0) }),
        ("`noNormDecay`", { $0.optimizer.vectorWeightDecay = 0.1 }),
        ("`smoothing`", { $0.smoothing = 1 }), ("`smoothing`", { $0.smoothing = -.ulpOfOne }),
        ("`sched`", { schedule(&$0) { $0.sched = .multistep } }),
        ("`minLr`", { schedule(&$0) { ($0.sched, $0.minLr) = (.step, 0.1) } }),
        ("`minLr`", { schedule(&$0) { ($0.sched, $0.minLr) = (.cosine, -1) } }),
        ("`decayEpochs`", { schedule(&$0) { $0.decayEpochs = 3 } }),
        ("`decayEpochs`", { schedule(&$0) { ($0.sched, $0.decayEpochs) = (.step, 0) } }),
        ("`decayRate`", { schedule(&$0) { ($0.sched, $0.decayRate) = (.cosine, 0.1) } }),
        ("`decayRate`", { schedule(&$0) { ($0.sched, $0.decayRate) = (.step, .infinity) } }),
        ("`decayMilestones`", { schedule(&$0) { ($0.sched, $0.decayMilestones) = (.multistep, [3, 3]) } }),
        ("`decayMilestones`", { schedule(&$0) { ($0.sched, $0.decayMilestones) = (.multistep, []) } }),
        ("`decayMilestones`", { schedule(&$0) { ($0.sched, $0.decayMilestones) = (.multistep, [.max]) } }),
        ("`warmupEpochs`", { schedule(&$0) { $0.warmupEpochs = 3 } }),
        ("`warmupEpochs`", { schedule(&$0) { ($0.sched, $0.warmupEpochs) = (.onecycle, 1) } }),
        ("`warmupLr`", { schedule(&$0) { $0.warmupLr = 0.1 } }),
        // In single precision this is no number.
        ("`warmupLr`", { schedule(&$0) { ($0.warmupEpochs, $0.warmupLr) = (1, 1e300) } }),
        ("`cropPadding`", { augment(&$0) { $0.cropPadding = -1 } }),
        ("`cropPadding`", { augment(&$0) { ($0.cropPadding, $0.ratio) = (2, [1, 1]) } }),
        ("`scale`", { augment(&$0) { $0.scale = [0.5] } }),
        ("`scale`", { augment(&$0) { $0.scale = [0.5, 2] } }),
        ("`ratio`", { augment(&$0) { $0.ratio = [2, 1] } }),
        ("`ratio`", { augment(&$0) { $0.ratio = [0, 1] } }),
        // A side that no whole number is as long as.
        ("`ratio`", { augment(&$0) { $0.ratio = [1e-300, 1] } }),
        ("`hflip`", { augment(&$0) { $0.hflip = 1.1 } }), ("`vflip`", { augment(&$0) { $0.vflip = .nan } }),
        ("`colorJitter`", { augment(&$0) { $0.colorJitter = [0.1, 0.2] } }),
        ("`colorJitter`", { augment(&$0) { $0.colorJitter = [0.1, 0.2, 0.3, 0.6] } }),
        ("`reprob`", { augment(&$0) { $0.reprob = -0.1 } }),
        ("`remode`", { augment(&$0) { $0.remode = .rand } }),
        ("`recount`", { augment(&$0) { $0.recount = 2 } }),
        ("`recount`", { augment(&$0) { ($0.reprob, $0.recount) = (0.5, 0) } }),
        ("`learningRate`", { $0.optimizer = Optimizer(.adam, learningRate: 0) }),
        ("`momentum`", { $0.optimizer = Optimizer(.adam, learningRate: 1, momentum: 0.5) }),
        ("`nesterov`", { $0.optimizer = Optimizer(.adamw, learningRate: 1, nesterov: true) }),
        ("`dampening`", { $0.optimizer = Optimizer(.adam, learningRate: 1, dampening: 0) }),
        ("`dampening`", { $0.optimizer.dampening = 0.5 }),
        ("`dampening`", { $0.optimizer = Optimizer(learningRate: 1, dampening: 0.5) }),
        ("`dampening`", { $0.optimizer = Optimizer(learningRate: 1, momentum: 0.5, dampening: 1.5) }),
        ("`optBetas`", { $0.optimizer.betas = [0.9, 0.99] }), ("`optEps`", { $0.optimizer.eps = 1e-8 }),
        ("`optBetas`", { $0.optimizer = Optimizer(.adam, learningRate: 1, betas: [0.9]) }),
        ("`optBetas`", { $0.optimizer = Optimizer(.adam, learningRate: 1, betas: [0.9, 1]) }),
        ("`optEps`", { $0.optimizer = Optimizer(.adam, learningRate: 1, eps: 0) }),
        ("`bnBiasLrScale`", { $0.optimizer.bnBiasLrScale = 0 }),
        ("`clipGrad`", { $0.clipGrad = 0 }), ("`gradAccumSteps`", { $0.gradAccumSteps = 0 }),
        ("`bnBiasLrScale`", { ($0.model.arch, $0.optimizer.bnBiasLrScale) = ("vgg11", 64) }),
        ("`patienceEpochs`", { schedule(&$0) { $0.patienceEpochs = 3 } }),
        ("`patienceEpochs`", { schedule(&$0) { ($0.sched, $0.patienceEpochs) = (.plateau, -1) } }),
        ("`decayEpochs`", { schedule(&$0) { ($0.sched, $0.decayEpochs) = (.plateau, 3) } }),
        ("`classWeights`", { $0.classWeights = .named(["a": 0]) }),
        ("`classWeights`", { $0.classWeights = try? ClassWeights("{\"a\": 1e39}") }),
        ("`classWeights`", { ($0.labels, $0.classWeights) = (["a", "b"], .named(["a": 1, "c": 2])) }),
        ("`classWeights`", { ($0.data, $0.classWeights) = ("fashion-mnist", .named(["shoes": 1])) }),
        (
            "`classWeights`",
            { configuration in
                configuration.classWeights = .balanced
                mix(&configuration) { $0.mixup = 1 }
            }
        ),
        ("`modelEmaDecay`", { $0.optimizer.average = WeightAverage(decay: 1) }),
        ("`mixup`", { mix(&$0) { $0.mixup = 0 } }), ("`mixup`", { mix(&$0) { $0.mixup = .infinity } }),
        ("`cutmix`", { mix(&$0) { $0.cutmix = -1 } }),
        ("`cutmixMinmax`", { mix(&$0) { $0.cutmixMinmax = [0.5] } }),
        ("`cutmixMinmax`", { mix(&$0) { $0.cutmixMinmax = [0.5, 1.5] } }),
        ("`cutmixMinmax`", { mix(&$0) { ($0.cutmix, $0.cutmixMinmax) = (1, [0.2, 0.8]) } }),
        ("`mixupProb`", { mix(&$0) { $0.mixupProb = 0.5 } }),
        ("`mixupProb`", { mix(&$0) { ($0.mixup, $0.mixupProb) = (1, 1.5) } }),
        ("`mixupSwitchProb`", { mix(&$0) { ($0.cutmix, $0.mixupSwitchProb) = (1, 0.5) } }),
        ("`mixupSwitchProb`", { mix(&$0) { ($0.mixup, $0.cutmix, $0.mixupSwitchProb) = (1, 1, -0.5) } }),
        ("`mixupMode`", { mix(&$0) { $0.mixupMode = .pair } }),
        ("`mixupOffEpoch`", { mix(&$0) { $0.mixupOffEpoch = 3 } }),
        ("`mixupOffEpoch`", { mix(&$0) { ($0.mixup, $0.mixupOffEpoch) = (1, 0) } }),
    ]

    private static func schedule(
        _ configuration: inout TrainingConfiguration, _ change: (inout ScheduleSettings) -> Void
    ) {
        var settings = ScheduleSettings()
        change(&settings)
        configuration.schedule = settings
    }

    private static func augment(
        _ configuration: inout TrainingConfiguration, _ change: (inout AugmentationSettings) -> Void
    ) {
        var settings = AugmentationSettings()
        change(&settings)
        configuration.augmentation = settings
    }

    private static func mix(
        _ configuration: inout TrainingConfiguration, _ change: (inout MixingSettings) -> Void
    ) {
        var settings = MixingSettings()
        change(&settings)
        configuration.mixing = settings
    }

    @Test(arguments: mistakes)
    func namesTheOptionAtFault(_ option: String, _ spoil: Change) {
        var configuration = smallConfiguration()
        spoil(&configuration)
        let error = #expect(throws: (any Error).self) { try configuration.validate() }
        #expect(error.map { "\($0)".hasPrefix("\(option) ") } == true)
    }

    @Test func wrongNamesAreNamed() {
        var configuration = smallConfiguration()
        configuration.data = "fashion-mnist"
        configuration.classWeights = .named(["coat": 2, "shoes": 1, "hats": 3])
        let error = #expect(throws: TrainingError.self) { try configuration.validate() }
        #expect(
            error.map { "\($0)".contains("names what is no class: \"hats\", \"shoes\"; the classes are ") }
                == true, "\(error as Any)")
    }

    /// Weights are kept under the classes' names, whatever these are, and typed as they are printed.
    @Test(arguments: ["balanced", #"{"T-shirt":1.5,"ankle_boot":2.0,"say \"hi\"":0.25}"#])
    func classWeightsAreKept(_ text: String) throws {
        var configuration = smallConfiguration()
        configuration.classWeights = try ClassWeights(text)
        #expect(configuration.classWeights?.description == text)
        let json = try JSONText.pretty(configuration)
        #expect(try JSONText.decode(TrainingConfiguration.self, from: json) == configuration)
        #expect(smallConfiguration().conflicts(with: configuration).map(\.given) == [text])
        #expect(throws: TrainingError.self) { try ClassWeights("balance") }
    }

    /// Where a step's rate depends on the number of epochs, another number would be another training.
    @Test(arguments: [ScheduleSettings.Kind.step, .cosine, .onecycle])
    func epochsMayChangeWhereNoRateDependsOnThem(_ kind: ScheduleSettings.Kind) {
        var stored = smallConfiguration()
        stored.schedule = ScheduleSettings()
        stored.schedule?.sched = kind
        var other = stored
        other.epochs = 7
        #expect(
            stored.conflicts(with: other)
                == (kind == .step ? [] : [SettingConflict(setting: .epochs, stored: "2", given: "7")]))
    }

    /// Lists are compared as they are typed.
    @Test func listsAreOptions() {
        let stored = smallConfiguration()
        var other = stored
        other.augmentation = everyAugmentation()
        let conflicts = stored.conflicts(with: other)
        #expect(
            conflicts.contains(
                SettingConflict(setting: .colorJitter, stored: "none", given: "0.4,0.4,0.4,0.1")))
        #expect(
            conflicts.contains(SettingConflict(setting: .alternatingFlip, stored: "false", given: "true")))
    }

    /// Each rate has its own schedule; the warm-up begins at the same for all.
    @Test func ratesFollowTheSchedule() {
        var configuration = smallConfiguration()
        configuration.optimizer.headLearningRate = 0.1
        configuration.schedule = changingSchedule()
        let optimizers = [0, 5, 6, 12].map { configuration.optimizer(at: $0, stepsPerEpoch: 6) }
        #expect(optimizers.map(\.learningRate)[0] == 0.001 && optimizers[0].headLearningRate == 0.001)
        #expect(optimizers.map(\.learningRate)[1] == Float(0.001 + 5 * (Double(Float(0.01)) - 0.001) / 6))
        // In the middle of a cosine, and at its end.
        #expect(optimizers[2].learningRate == 0.5 * 0.01 && optimizers[2].headLearningRate == 0.5 * 0.1)
        #expect(optimizers[3].learningRate == 0)
        #expect(optimizers.allSatisfy { $0.momentum == 0.9 && $0.nesterov })
    }

    /// Who says what is so anyway asks for nothing else.
    @Test func whatIsUsualMayBeSaid() {
        var stored = smallConfiguration()
        stored.augmentation = AugmentationSettings()
        stored.augmentation?.scale = [0.5, 1]
        var other = stored
        (other.gradAccumSteps, other.smoothing, other.optimizer.dampening) = (1, 0, 0)
        other.optimizer.bnBiasLrScale = 1
        (other.optimizer.betas, other.optimizer.eps) = ([0.9, 0.999], 1e-8)
        Self.schedule(&other) {
            ($0.warmupEpochs, $0.warmupLr, $0.minLr, $0.decayRate) = (0, 1e-5, 0, 0.1)
            ($0.decayEpochs, $0.patienceEpochs) = (90, 10)
        }
        Self.augment(&other) {
            ($0.scale, $0.ratio) = ([0.5, 1], [0.75, 4 / 3])
            ($0.cropPadding, $0.hflip, $0.vflip, $0.reprob) = (0, 0, 0, 0)
            ($0.remode, $0.recount) = (.const, 1)
        }
        Self.mix(&other) { ($0.mixupProb, $0.mixupSwitchProb, $0.mixupMode) = (1, 0.5, .batch) }
        #expect(stored.conflicts(with: other) == [])
    }

    @Test func onlySomeOptionsMayChange() {
        let stored = smallConfiguration()
        var other = stored
        other.epochs = 7
        other.maxSteps = 3
        other.dataDirectory = "elsewhere"
        other.patience = 4
        #expect(stored.conflicts(with: other) == [])
        other.optimizer.learningRate = 0.5
        other.trainLimit = 9
        other.keep = .best
        #expect(
            stored.conflicts(with: other) == [
                SettingConflict(setting: .learningRate, stored: "0.01", given: "0.5"),
                SettingConflict(setting: .trainLimit, stored: "none", given: "9"),
                SettingConflict(setting: .keep, stored: "last", given: "best"),
            ])
    }
}
