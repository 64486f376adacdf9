/// The figures within an epoch: running means over the epoch's batches so far, as they were in training.
public struct StepMetrics: Hashable, Sendable, Codable {
    /// The epoch, from 1.
    public var epoch: Int
    /// Steps done over the whole run.
    public var step: Int
    /// Steps done in this epoch.
    public var stepInEpoch: Int
    /// Steps of a whole epoch.
    public var stepsPerEpoch: Int
    /// The mean cross-entropy loss.
    public var trainLoss: Double
    /// The share of training examples classified right.
    public var trainAcc: Double
    /// Training examples a second of forward, backward and update time, over the whole run.
    public var examplesPerSec: Double
    /// Wall-clock seconds of the run so far, not counting those in which it was stopped; nil in runs of earlier versions.
    public var seconds: Double?

    /// How far the training is, in epochs.
    public var epochs: Double { Double(epoch - 1) + Double(stepInEpoch) / Double(stepsPerEpoch) }

    /// Whether `metrics.jsonl` holds the step: about twenty of an epoch are, its last one not (the epoch's
    /// own figures say the same).
    public var isRecorded: Bool {
        stepInEpoch.isMultiple(of: max(1, stepsPerEpoch / 20)) && stepInEpoch < stepsPerEpoch
    }
}

/// The figures of an epoch, defined as in the chapter's `train_ch6`.
public struct EpochMetrics: Hashable, Sendable, Codable {
    /// The epoch, from 1.
    public var epoch: Int
    /// Steps done over the whole run.
    public var step: Int
    /// The mean loss over the epoch's batches, as it was during training.
    public var trainLoss: Double
    /// The share of training examples classified right, as it was during training.
    public var trainAcc: Double
    /// The mean loss over the validation examples at the epoch's end; nil if there are none.
    public var valLoss: Double?
    /// The share of validation examples classified right at the epoch's end; nil if there are none.
    public var valAcc: Double?
    /// The mean loss over the test examples at the epoch's end.
    public var testLoss: Double
    /// The share of test examples classified right at the epoch's end.
    public var testAcc: Double
    /// Training examples a second of forward, backward and update time, over the whole run.
    public var examplesPerSec: Double
    /// Training examples a second of wall-clock time, over the whole run.
    public var wallExamplesPerSec: Double
    /// Wall-clock seconds since the run began, not counting those in which it was stopped.
    public var seconds: Double
    /// Where several processes train together: the seconds of the epoch's training in which each waited for messages of the
    /// others, by its rank. Who waits least is who the others wait for.
    public var waitedSeconds: [Double]?
}

/// How a training ended.
public struct TrainingSummary: Hashable, Sendable, Codable {
    /// Whole epochs done.
    public var epochs: Int
    /// Steps done.
    public var steps: Int
    /// The last epoch's mean training loss (of its part so far, if `maxSteps` ended it).
    public var trainLoss: Double
    /// The share of training examples that were classified right in the last epoch, 0 to 1.
    public var trainAcc: Double
    /// The same of the test examples, after it.
    public var testAcc: Double
    /// The best epoch, where epochs are compared.
    public var best: EpochMetrics?
    /// The chapter's definition: training examples a second of forward, backward and update time only.
    public var examplesPerSec: Double
    /// Training examples a second of wall-clock time: loading, testing and saving count too.
    public var wallExamplesPerSec: Double
    /// Wall-clock seconds of the run, not counting those in which it was stopped.
    public var seconds: Double
}

/// One line of `metrics.jsonl`.
public enum MetricsRecord: Hashable, Sendable, Codable {
    /// Within an epoch.
    case step(StepMetrics)
    /// At an epoch's end.
    case epoch(EpochMetrics)

    private enum Key: String, CodingKey { case event }
    private enum Event: String, Codable { case step, epoch }

    public init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: Key.self).decode(Event.self, forKey: .event) {
        case .step: self = .step(try StepMetrics(from: decoder))
        case .epoch: self = .epoch(try EpochMetrics(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .step(let metrics):
            try container.encode(Event.step, forKey: .event)
            try metrics.encode(to: encoder)
        case .epoch(let metrics):
            try container.encode(Event.epoch, forKey: .event)
            try metrics.encode(to: encoder)
        }
    }

    /// Steps done over the whole run when the record was made.
    public var step: Int {
        switch self {
        case .step(let metrics): metrics.step
        case .epoch(let metrics): metrics.step
        }
    }
}
