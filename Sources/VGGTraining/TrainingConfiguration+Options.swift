import VGGFiles
import VGGInference
import VGGModel

extension TrainingConfiguration {
    /// One command-line option and its value in a configuration, as text.
    private struct Option: Sendable {
        let name: String
        /// Whether a run may go on with another value: it says how far to go or where things are, not
        /// what to compute.
        var mayChange = false
        /// Whether the option has no value: it is there or not.
        var isFlag = false
        /// Whether a run that starts from another's weights has it from these.
        var isOfWeights = false
        let value: @Sendable (TrainingConfiguration) -> String
    }

    /// Every option, in the order in which differences are reported.
    private static let options: [Option] = [
        Option(name: "--arch", isOfWeights: true) { $0.model.arch },
        Option(name: "--conv-arch", isOfWeights: true) { text($0.model.convArch) },
        Option(name: "--width-divisor", isOfWeights: true) { "\($0.model.widthDivisor)" },
        Option(name: "--in-channels", isOfWeights: true) { "\($0.model.inChannels)" },
        Option(name: "--classes", isOfWeights: true) { "\($0.model.classes)" },
        Option(name: "--dropout", isOfWeights: true) { "\($0.model.dropout)" },
        Option(name: "--pool", isOfWeights: true) { text($0.model.pool) },
        Option(name: "--hidden-features", isOfWeights: true) { configuration in
            let features = configuration.model.hiddenFeatures.map(String.init)
            return features.isEmpty ? "none" : features.joined(separator: ",")
        },
        Option(name: "--data") { $0.data },
        Option(name: "--data-dir", mayChange: true) { text($0.dataDirectory) },
        Option(name: "--val-split") { text($0.validationSplit) },
        Option(name: "--skip-broken", mayChange: true, isFlag: true) { "\($0.skipBroken == true)" },
        Option(name: "--preprocessing", isOfWeights: true) {
            $0.preprocessing.flatMap { try? JSONText.line($0) } ?? "none"
        },
        Option(name: "--size", isOfWeights: true) { "\($0.size)" },
        Option(name: "--epochs", mayChange: true) { "\($0.epochs)" },
        Option(name: "--lr") { "\($0.optimizer.learningRate)" },
        Option(name: "--lr-head") { text($0.optimizer.headLearningRate) },
        Option(name: "--momentum") { "\($0.optimizer.momentum)" },
        Option(name: "--nesterov", isFlag: true) { "\($0.optimizer.nesterov)" },
        Option(name: "--weight-decay") { "\($0.optimizer.weightDecay)" },
        Option(name: "--batch-size") { "\($0.batchSize)" },
        Option(name: "--seed") { "\($0.seed)" },
        Option(name: "--precision") { $0.precision.rawValue },
        Option(name: "--no-shuffle", isFlag: true) { "\(!$0.shuffle)" },
        Option(name: "--train-limit") { text($0.trainLimit) },
        Option(name: "--test-limit") { text($0.testLimit) },
        Option(name: "--max-steps", mayChange: true) { text($0.maxSteps) },
        Option(name: "--weight-init") { $0.initialization.rawValue },
        Option(name: "--init", isOfWeights: true) { text($0.initialWeights) },
        Option(name: "--weights-key", isOfWeights: true) { text($0.initialWeightsKey) },
        Option(name: "--freeze") { text($0.freeze?.rawValue) },
    ]

    private static func text(_ value: (some CustomStringConvertible)?) -> String {
        value.map(\.description) ?? "none"
    }

    /// The options in which a run that goes on with `other` would compute something else.
    public func conflicts(with other: TrainingConfiguration) -> [OptionConflict] {
        Self.options.compactMap { option in
            let (stored, given) = (option.value(self), option.value(other))
            guard !option.mayChange, stored != given else { return nil }
            return OptionConflict(option: option.name, stored: stored, given: given)
        }
    }

    /// The words of a command line by which a run that starts from the weights of this one trains as it did: each
    /// option that has another value than usual.
    /// - Parameter changes: what is to be different.
    /// - Returns: nil if that would be another network, or one for other pictures, which the weights may not fit.
    func optionsFromItsWeights(_ changes: [OptionConflict]) -> [String]? {
        let usual = TrainingConfiguration()
        var words: [String] = []
        for option in Self.options {
            let change = changes.first { $0.option == option.name }
            if option.isOfWeights {
                guard change == nil else { return nil }
                continue
            }
            var value = change?.given ?? option.value(self)
            if option.name == "--data", change == nil, let dataDirectory { value += ":\(dataDirectory)" }
            guard value != option.value(usual), option.name != "--data-dir" else { continue }
            words += option.isFlag ? [option.name] : [option.name, value.shellWord]
        }
        return words
    }

    /// - Throws: `TrainingError.invalidOption` for a number that makes no sense, or `ModelError` for a
    ///   model that cannot be built.
    public func validate() throws {
        try validateOptions()
        let network = try model.network(size: size)
        guard network.head != nil else {
            throw TrainingError.invalidOption(name: "--classes", reason: "must be at least 1 to train, not 0")
        }
        if let freeze { _ = try network.layerCount(of: freeze) }
    }

    /// The same without the model, which may not be known yet.
    package func validateOptions() throws {
        let counts: [(String, Int?, ClosedRange<Int>)] = [
            ("--epochs", epochs, OptionRange.epochs), ("--batch-size", batchSize, OptionRange.batchSize),
            ("--train-limit", trainLimit, OptionRange.count), ("--test-limit", testLimit, OptionRange.count),
            ("--max-steps", maxSteps, OptionRange.count),
        ]
        for case (let name, let value?, let range) in counts {
            if let reason = range.objection(to: value) {
                throw TrainingError.invalidOption(name: name, reason: reason)
            }
        }
        let rates: [(String, Float?)] = [
            ("--lr", optimizer.learningRate), ("--lr-head", optimizer.headLearningRate),
        ]
        for case (let name, let rate?) in rates where !(rate > 0 && rate.isFinite) {
            throw TrainingError.invalidOption(name: name, reason: "must be greater than 0, not \(rate)")
        }
        guard (0..<1).contains(optimizer.momentum) else {
            throw TrainingError.invalidOption(
                name: "--momentum", reason: "must be at least 0 and less than 1, not \(optimizer.momentum)")
        }
        guard !optimizer.nesterov || optimizer.momentum > 0 else {
            throw TrainingError.invalidOption(name: "--nesterov", reason: "needs a --momentum above 0")
        }
        guard optimizer.weightDecay >= 0, optimizer.weightDecay.isFinite else {
            throw TrainingError.invalidOption(
                name: "--weight-decay", reason: "must be at least 0, not \(optimizer.weightDecay)")
        }
        if let share = validationSplit, !(share > 0 && share < 1) {
            throw TrainingError.invalidOption(
                name: "--val-split", reason: "must be more than 0 and less than 1, not \(share)")
        }
        guard validationSplit == nil || hasPhotos else {
            throw TrainingError.invalidOption(
                name: "--val-split", reason: "is for photos: --data folder:PATH")
        }
        guard skipBroken != true || hasPhotos else {
            throw TrainingError.invalidOption(
                name: "--skip-broken", reason: "is for photos: --data folder:PATH")
        }
        guard initialWeightsKey == nil || initialWeights != nil else {
            throw TrainingError.invalidOption(name: "--weights-key", reason: "is for the weights of --init")
        }
        guard freeze == nil || initialWeights != nil else {
            throw TrainingError.invalidOption(
                name: "--freeze", reason: "needs weights that are worth keeping: give them by --init")
        }
    }
}

/// An option whose value is not the one a run was started with.
public struct OptionConflict: Hashable, Sendable {
    public var option: String
    public var stored: String
    public var given: String

    public init(option: String, stored: String, given: String) {
        self.option = option
        self.stored = stored
        self.given = given
    }
}
