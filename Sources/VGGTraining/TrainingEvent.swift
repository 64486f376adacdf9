import VGGData
import VGGEngine

/// What a trainer says while it works, in this order: `started`; for each epoch its steps, `testing` now
/// and then, and `epoch`; `checkpoint` whenever one was written; `diagnosis` if something is wrong; at last `finished` or
/// `interrupted` (neither, if it throws).
public enum TrainingEvent: Sendable {
    /// Before the first step.
    case started(TrainingStart)
    /// After each step.
    case step(StepMetrics)
    /// Now and then in a test.
    case testing(TestProgress)
    /// After the test at an epoch's end.
    case epoch(EpochMetrics)
    /// When a checkpoint was written.
    case checkpoint(CheckpointWritten)
    /// When something is wrong.
    case diagnosis(Diagnosis)
    /// The training stopped on request and was saved.
    case interrupted(CheckpointWritten)
    /// At the configured end.
    case finished(TrainingSummary)
}

/// What is about to be trained.
public struct TrainingStart: Sendable, Codable {
    /// What decides the training.
    public var configuration: TrainingConfiguration
    /// Numbers in the network that are trained, if nothing is frozen.
    public var parameters: Int
    /// Those of them that are not frozen.
    public var trainedParameters: Int
    /// The layer that was not taken from the weights that the run started from; nil if all were.
    public var newHead: NewHead?
    /// Bytes that the training will hold.
    public var memory: PlanMemory
    /// Examples of an epoch.
    public var trainExamples: Int
    /// Examples of a test.
    public var testExamples: Int
    /// nil if there are none.
    public var validationExamples: Int?
    /// Photos that are left out, because they cannot be read.
    public var skipped: [BrokenPhoto]
    /// Steps of a whole epoch.
    public var stepsPerEpoch: Int
    /// Whole epochs already done: 0 but for a resumed run.
    public var epochs: Int
    /// Steps already done: 0 but for a resumed run.
    public var step: Int
    /// The best epoch so far, where epochs are compared.
    public var best: Int?
    /// nil where nothing is written to disk.
    public var runDirectory: String?
    /// How many processes share each batch out; nil for one.
    public var ranks: Int?
}

/// The last linear layer, or the whole classifier, of a network that starts from weights for other classes or with
/// another classifier: its own are random.
public struct NewHead: Hashable, Sendable, Codable {
    /// torchvision's name, such as `classifier.6`; `classifier` for all its layers.
    public var layer: String
    /// Outputs of the new layer.
    public var classes: Int
    /// 0 where the weights have no classifier.
    public var classesOfFile: Int
}

/// How far the test at an epoch's end is.
public struct TestProgress: Hashable, Sendable, Codable {
    /// The epoch, from 1.
    public var epoch: Int
    /// Examples tested so far, those of the validation included.
    public var examples: Int
    /// All of them.
    public var testExamples: Int
}

/// Where a checkpoint is and how far the training was.
public struct CheckpointWritten: Hashable, Sendable, Codable {
    /// nil where nothing is written to disk.
    public var path: String?
    /// Whole epochs done.
    public var epochs: Int
    /// Steps done over the whole run.
    public var step: Int
}

extension TrainingEvent: Encodable {
    private enum Key: String, CodingKey { case event }

    /// An object with the name of the event under `event` beside the event's own members.
    public func encode(to encoder: any Encoder) throws {
        let (name, payload): (String, any Encodable) =
            switch self {
            case .started(let payload): ("started", payload)
            case .step(let payload): ("step", payload)
            case .testing(let payload): ("testing", payload)
            case .epoch(let payload): ("epoch", payload)
            case .checkpoint(let payload): ("checkpoint", payload)
            case .diagnosis(let payload): ("diagnosis", payload)
            case .interrupted(let payload): ("interrupted", payload)
            case .finished(let payload): ("finished", payload)
            }
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .event)
        try payload.encode(to: encoder)
    }
}
