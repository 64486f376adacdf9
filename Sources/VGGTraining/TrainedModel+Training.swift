import VGGFiles
import VGGInference

extension TrainedModel {
    /// How the weights were trained, as their run or their file says; nil if neither does.
    public var training: TrainingConfiguration? {
        if let own = try? run?.readConfiguration() { return own }
        return metadata[TrainingConfiguration.metadataKey].flatMap {
            try? JSONText.decode(TrainingConfiguration.self, from: $0)
        }
    }
}

extension TrainingConfiguration {
    static let metadataKey = "vgg.training"

    /// What a weight file says of the training that made it: all of this but where on this machine the data and the weights
    /// were that it started from.
    package var metadata: [String: String] {
        get throws {
            var told = self
            told.dataDirectory = nil
            told.initialWeights = initialWeights?.split(separator: "/").last.map(String.init)
            return [Self.metadataKey: try JSONText.line(told)]
        }
    }
}
