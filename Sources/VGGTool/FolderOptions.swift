import ArgumentParser
import VGGKit

/// How a folder of photos is trained on.
struct FolderOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Test on this share of each class's photos, such as 0.2, chosen by the seed; for a folder without train \
            and val.
            """)
    var valSplit: Double?

    @Flag(
        help: """
            Leave out photos that cannot be read, and say which: all are decoded first. A run remembers it.
            """)
    var skipBroken = false

    @Option(
        help: """
            How photos are prepared: plain, imagenet or caffe (default: plain, or what the weights of --init \
            expect). All resize the shorter side and keep the square in the middle; plain resizes to --size and \
            gives 0…1, the others also normalise and cut off an eighth. It is stored with the run.
            """)
    var preprocessing: PhotoPreparation?

    /// How photos are prepared for the configuration, whose model is that of the data; nil for the usual way.
    /// - Throws: what reading the weights of `--init` throws, or `PreprocessingError`.
    func preprocessing(for configuration: TrainingConfiguration) throws -> Preprocessing? {
        let channels = configuration.model.inChannels
        if let preprocessing {
            return try preprocessing.preprocessing(size: configuration.size, channels: channels)
                .resized(to: configuration.size)
        }
        if let stored = configuration.preprocessing { return stored }
        guard configuration.hasPhotos, let weights = configuration.initialWeights else { return nil }
        return try TrainedModel(runOrWeights: weights, weightsKey: configuration.initialWeightsKey)
            .preprocessing(channels: channels)
            .resized(to: configuration.size)
    }
}
