import VGGData
import VGGDevices
import VGGEngine
import VGGFiles
import VGGImages
import VGGInference
import VGGModel

extension TrainingConfiguration {
    /// One setting and its value in a configuration, as text.
    private struct Row: Sendable {
        let setting: Setting
        /// Whether a run may go on with another value: it says how far to go or where things are, not
        /// what to compute.
        var mayChange = false
        /// Whether its option on a command line has no value: it is there or not.
        var isFlag = false
        /// Whether a run that starts from another's weights has it from these.
        var isOfWeights = false
        let value: @Sendable (TrainingConfiguration) -> String
    }

    /// Every setting, in the order in which differences are reported. What says the same as saying nothing has the same text.
    private static let rows: [Row] = [
        Row(setting: .arch, isOfWeights: true) { $0.model.arch },
        Row(setting: .convArch, isOfWeights: true) { text($0.model.convArch) },
        Row(setting: .widthDivisor, isOfWeights: true) { "\($0.model.widthDivisor)" },
        Row(setting: .inChannels, isOfWeights: true) { "\($0.model.inChannels)" },
        Row(setting: .classes, isOfWeights: true) { "\($0.model.classes)" },
        Row(setting: .dropout, isOfWeights: true) { "\($0.model.dropout)" },
        Row(setting: .blockDropout, isOfWeights: true) { "\($0.model.blockDropout)" },
        Row(setting: .pool, isOfWeights: true) { text($0.model.pool) },
        Row(setting: .hiddenFeatures, isOfWeights: true) { configuration in
            let features = configuration.model.hiddenFeatures.map(String.init)
            return features.isEmpty ? "none" : features.joined(separator: ",")
        },
        Row(setting: .data) { $0.data },
        Row(setting: .dataDirectory, mayChange: true) { text($0.dataDirectory) },
        Row(setting: .validationSplit) { text($0.validationSplit) },
        Row(setting: .skipBroken, mayChange: true, isFlag: true) { "\($0.skipBroken == true)" },
        Row(setting: .preprocessing, isOfWeights: true) {
            $0.preprocessing.flatMap { try? JSONText.line($0) } ?? "none"
        },
        Row(setting: .size, isOfWeights: true) { "\($0.size)" },
        Row(setting: .epochs, mayChange: true) { "\($0.epochs)" },
        Row(setting: .opt) { $0.optimizer.kind.rawValue },
        Row(setting: .learningRate) { "\($0.optimizer.learningRate)" },
        Row(setting: .headLearningRate) { text($0.optimizer.headLearningRate) },
        Row(setting: .bnBiasLrScale) { "\($0.optimizer.bnBiasLrScale ?? 1)" },
        Row(setting: .momentum) { "\($0.optimizer.momentum)" },
        Row(setting: .dampening) { "\($0.optimizer.dampening ?? 0)" },
        Row(setting: .nesterov, isFlag: true) { "\($0.optimizer.nesterov)" },
        Row(setting: .weightDecay) { "\($0.optimizer.weightDecay)" },
        Row(setting: .noNormDecay, isFlag: true) { "\($0.optimizer.vectorWeightDecay == 0)" },
        Row(setting: .optBetas) { list(unusual($0.optimizer.betas, Optimizer.usualBetas)) },
        Row(setting: .optEps) { text(unusual($0.optimizer.eps, Optimizer.usualEps)) },
        Row(setting: .modelEma, isFlag: true) { "\($0.optimizer.average != nil)" },
        Row(setting: .modelEmaDecay) { text($0.optimizer.average?.decay) },
        Row(setting: .modelEmaWarmup, isFlag: true) { "\($0.optimizer.average?.usesWarmup == true)" },
        Row(setting: .clipGrad) { text($0.clipGrad) },
        Row(setting: .gradAccumSteps) { "\($0.gradAccumSteps ?? 1)" },
        Row(setting: .batchSize) { "\($0.batchSize)" },
        Row(setting: .seed) { "\($0.seed)" },
        Row(setting: .device, mayChange: true) { $0.device ?? "cpu" },
        Row(setting: .precision) { $0.precision.rawValue },
        Row(setting: .noShuffle, isFlag: true) { "\(!$0.shuffle)" },
        Row(setting: .trainLimit) { text($0.trainLimit) },
        Row(setting: .testLimit) { text($0.testLimit) },
        Row(setting: .maxSteps, mayChange: true) { text($0.maxSteps) },
        Row(setting: .initialization) { $0.initialization.rawValue },
        Row(setting: .initialWeights, isOfWeights: true) { text($0.initialWeights) },
        Row(setting: .weightsKey, isOfWeights: true) { text($0.initialWeightsKey) },
        Row(setting: .freeze) { text($0.freeze?.rawValue) },
        Row(setting: .smoothing) { "\($0.smoothing ?? 0)" },
        Row(setting: .keep) { ($0.keep ?? .last).rawValue },
        Row(setting: .patience, mayChange: true) { text($0.patience) },
        Row(setting: .log, mayChange: true) { list($0.log?.map(\.rawValue)) },
        Row(setting: .classWeights) { text($0.classWeights) },
        Row(setting: .sched) { text($0.schedule?.sched?.rawValue) },
        Row(setting: .warmupEpochs) { "\($0.schedule?.warmupEpochs ?? 0)" },
        Row(setting: .warmupLr) { text(unusual($0.schedule?.warmupLr, ScheduleSettings.Usual.warmupLr)) },
        Row(setting: .minLr) { "\($0.schedule?.minLr ?? 0)" },
        Row(setting: .decayEpochs) {
            text(unusual($0.schedule?.decayEpochs, ScheduleSettings.Usual.decayEpochs))
        },
        Row(setting: .decayMilestones) { list($0.schedule?.decayMilestones) },
        Row(setting: .decayRate) { "\($0.schedule?.decayRate ?? ScheduleSettings.Usual.decayRate)" },
        Row(setting: .patienceEpochs) {
            text(unusual($0.schedule?.patienceEpochs, ScheduleSettings.Usual.patienceEpochs))
        },
        Row(setting: .cropPadding) { "\($0.augmentation?.cropPadding ?? 0)" },
        // Where one of them is said, the other need not be.
        Row(setting: .scale) {
            list(
                ratio($0) == nil
                    ? $0.augmentation?.scale
                    : unusual($0.augmentation?.scale, bounds(RandomResizedCrop().scale)))
        },
        Row(setting: .ratio) { list(ratio($0)) },
        Row(setting: .hflip) {
            "\($0.augmentation?.hflip ?? ($0.augmentation?.alternatingFlip == true ? 0.5 : 0))"
        },
        Row(setting: .vflip) { "\($0.augmentation?.vflip ?? 0)" },
        Row(setting: .alternatingFlip, isFlag: true) { "\($0.augmentation?.alternatingFlip == true)" },
        Row(setting: .colorJitter) { list($0.augmentation?.colorJitter) },
        Row(setting: .autoAugment) { text($0.augmentation?.autoAugment?.rawValue) },
        Row(setting: .reprob) { "\($0.augmentation?.reprob ?? 0)" },
        Row(setting: .remode) { ($0.augmentation?.remode ?? .const).rawValue },
        Row(setting: .recount) { "\($0.augmentation?.recount ?? 1)" },
        Row(setting: .mixup) { text($0.mixing?.mixup) },
        Row(setting: .cutmix) { text($0.mixing?.cutmix) },
        Row(setting: .cutmixMinmax) { list($0.mixing?.cutmixMinmax) },
        Row(setting: .mixupProb) { "\($0.mixing?.mixupProb ?? 1)" },
        Row(setting: .mixupSwitchProb) { "\($0.mixing?.mixupSwitchProb ?? 0.5)" },
        Row(setting: .mixupMode) { ($0.mixing?.mixupMode ?? .batch).rawValue },
        Row(setting: .mixupOffEpoch) { text($0.mixing?.mixupOffEpoch) },
    ]

    /// nil for a value that says the same as none.
    private static func unusual<Value: Equatable>(_ value: Value?, _ usual: Value) -> Value? {
        value == usual ? nil : value
    }

    /// The ratios of parts, where the scale does not say all.
    private static func ratio(_ configuration: TrainingConfiguration) -> [Double]? {
        let augmentation = configuration.augmentation
        return augmentation?.scale == nil
            ? augmentation?.ratio : unusual(augmentation?.ratio, bounds(RandomResizedCrop().ratio))
    }

    private static func bounds(_ range: ClosedRange<Double>) -> [Double] {
        [range.lowerBound, range.upperBound]
    }

    private static func text(_ value: (some CustomStringConvertible)?) -> String {
        value.map(\.description) ?? "none"
    }

    private static func list(_ values: [some CustomStringConvertible]?) -> String {
        text(values?.map(\.description).joined(separator: ","))
    }

    /// The settings in which a run that goes on with `other` would compute something else.
    public func conflicts(with other: TrainingConfiguration) -> [SettingConflict] {
        changes(to: other).filter { change in
            let mayChange = Self.rows.contains { $0.setting == change.setting && $0.mayChange }
            return !mayChange || change.setting == .epochs && schedule?.dependsOnEpochs == true
        }
    }

    /// The settings in which `other` is different, also where a run may go on with that.
    func changes(to other: TrainingConfiguration) -> [SettingConflict] {
        Self.rows.compactMap { row in
            let (stored, given) = (row.value(self), row.value(other))
            return stored == given
                ? nil : SettingConflict(setting: row.setting, stored: stored, given: given)
        }
    }

    /// The settings that are not the same in all of these, and the value that each has, as text.
    public static func differences(
        among configurations: [TrainingConfiguration]
    ) -> [(setting: Setting, values: [String])] {
        rows.map { row in (row.setting, configurations.map(row.value)) }.filter { Set($0.1).count > 1 }
    }

    /// The words by which a run that starts from the weights of this one trains as it did: each setting that has another
    /// value than usual, and the value unless it is a flag.
    /// - Parameters:
    ///   - changes: what is to be different.
    ///   - directory: where other data are, if not where its own are.
    /// - Returns: nil if that would be another network, or one for other pictures, which the weights may not fit.
    func settingsFromItsWeights(
        _ changes: [SettingConflict], dataIn directory: String? = nil
    ) -> [String]? {
        var usual = TrainingConfiguration()
        usual.device = Device.best.name
        var words: [String] = []
        for row in Self.rows {
            let change = changes.first { $0.setting == row.setting }
            if row.isOfWeights {
                guard change == nil else { return nil }
                continue
            }
            var value = change?.given ?? row.value(self)
            let place = change == nil ? dataDirectory : directory == dataDirectory ? nil : directory
            if row.setting == .data, let place { value += ":\(place)" }
            let isUsual = value == row.value(usual)
            // What is usual for the rest of the optimiser follows from which it is.
            if row.setting == .opt { usual.optimizer = .usual(Optimizer.Kind(rawValue: value) ?? .sgd) }
            guard !isUsual, row.setting != .dataDirectory else { continue }
            words += row.isFlag ? ["\(row.setting)"] : ["\(row.setting)", value.shellWord]
        }
        return words
    }

    /// - Throws: `TrainingError.invalidSetting` for a number that makes no sense, or `ModelError` for a
    ///   model that cannot be built.
    public func validate() throws {
        try validateSettings()
        let network = try model.network(size: size)
        guard network.head != nil else {
            throw TrainingError.invalidSetting(.classes, reason: "must be at least 1 to train, not 0")
        }
        let frozen = try freeze.map { try network.layerCount(of: $0) } ?? 0
        guard optimizer.bnBiasLrScale == nil || network.hasBatchNorm(from: frozen) else {
            throw TrainingError.invalidSetting(
                .bnBiasLrScale,
                reason: "is for networks with batch norm"
                    + (network.hasBatchNorm() ? " that is not frozen" : ""))
        }
    }

    /// The same without the model, which may not be known yet.
    package func validateSettings() throws {
        let counts: [(Setting, Int?, ClosedRange<Int>)] = [
            (.epochs, epochs, SettingRange.epochs), (.batchSize, batchSize, SettingRange.batchSize),
            (.trainLimit, trainLimit, SettingRange.count), (.testLimit, testLimit, SettingRange.count),
            (.maxSteps, maxSteps, SettingRange.count), (.patience, patience, SettingRange.epochs),
            (.gradAccumSteps, gradAccumSteps, SettingRange.batchSize),
        ]
        for case (let setting, let value?, let range) in counts {
            if let reason = range.objection(to: value) {
                throw TrainingError.invalidSetting(setting, reason: reason)
            }
        }
        try optimizer.validate()
        if let clipGrad, !(clipGrad > 0 && clipGrad.isFinite) {
            throw TrainingError.invalidSetting(
                .clipGrad, reason: "must be greater than 0 and at most 3.4e38, not \(clipGrad)")
        }
        if let smoothing, !(0..<1 ~= smoothing) {
            throw TrainingError.invalidSetting(
                .smoothing, reason: "must be at least 0 and less than 1, not \(smoothing)")
        }
        if let share = validationSplit, !(share > 0 && share < 1) {
            throw TrainingError.invalidSetting(
                .validationSplit, reason: "must be more than 0 and less than 1, not \(share)")
        }
        guard skipBroken != true || hasPhotos else {
            throw TrainingError.invalidSetting(
                .skipBroken, reason: "is for photos: \(Setting.data) folder:PATH")
        }
        guard initialWeightsKey == nil || initialWeights != nil else {
            throw TrainingError.invalidSetting(
                .weightsKey, reason: "is for the weights of \(Setting.initialWeights)")
        }
        guard freeze == nil || initialWeights != nil else {
            throw TrainingError.invalidSetting(
                .freeze,
                reason: "needs weights that are worth keeping: give them by \(Setting.initialWeights)")
        }
        try schedule?.validate(epochs: epochs)
        try augmentation?.validate()
        try mixing?.validate()
        if let classWeights {
            try classWeights.validate(for: labels ?? DatasetStore.classNames(of: data))
            guard mixing == nil else {
                throw TrainingError.invalidSetting(
                    .classWeights, reason: "is not for \(Setting.mixup) and \(Setting.cutmix)")
            }
        }
    }
}

/// A setting whose value is not the one a run was started with.
public struct SettingConflict: Hashable, Sendable {
    /// Which one.
    public var setting: Setting
    /// What the run was started with, in words.
    public var stored: String
    /// What is given now.
    public var given: String

    /// Two values of one setting, in words.
    public init(setting: Setting, stored: String, given: String) {
        self.setting = setting
        self.stored = stored
        self.given = given
    }
}
