import VGGFiles

/// Which moment of a training weights are of, and by what they were chosen: kept under `vgg.epoch` in the metadata of a
/// run's model.
public struct TrainedEpoch: Hashable, Sendable, Codable {
    /// By what an epoch was chosen.
    public enum Choice: String, Hashable, Sendable, Codable {
        /// Not chosen: the training came no further, or ended where it was to end.
        case last
        /// By the accuracy in validation: the best epoch, or the one that patience ended with.
        case valAcc = "val_acc"
        /// The same by the accuracy in the test, which is then no test any more.
        case testAcc = "test_acc"
    }

    /// Whole epochs done.
    public var epoch: Int
    /// Steps done over the whole run.
    public var step: Int
    /// By what they were chosen among the epochs.
    public var chosenBy: Choice
    /// What they were chosen by, 0 to 1; nil if they were not.
    public var accuracy: Double?

    static let metadataKey = "vgg.epoch"

    /// A moment of a training, and what it was chosen by.
    public init(epoch: Int, step: Int, chosenBy: Choice = .last, accuracy: Double? = nil) {
        self.epoch = epoch
        self.step = step
        self.chosenBy = chosenBy
        self.accuracy = accuracy
    }

    /// That of a weight file's metadata; nil if it holds none that can be understood.
    package init?(metadata: [String: String]) {
        guard let text = metadata[Self.metadataKey],
            let epoch = try? JSONText.decode(TrainedEpoch.self, from: text)
        else { return nil }
        self = epoch
    }

    package var metadata: [String: String] {
        get throws { [Self.metadataKey: try JSONText.line(self)] }
    }
}
