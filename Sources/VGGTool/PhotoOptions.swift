import ArgumentParser
import VGGKit

/// Photos to predict, and how they become the network's input.
struct PhotoOptions: ParsableArguments {
    @Argument(
        help: """
            Photos: JPEG, PNG or WebP files; folders, for all such files in them and in their sub-folders; or \
            - for standard input.
            """)
    var images: [String] = []

    @Option(
        help: """
            How photos are prepared: imagenet (torchvision's weights), caffe (Caffe's and Keras's), or plain, \
            which is 0…1 at the network's own size (default: what the run, or the file, says, else imagenet for \
            networks with 3 input channels and plain for those with 1).
            """)
    var preprocessing: PhotoPreparation?

    @Option(
        help: "The classes' names: a file with one a line, or JSON in the way of imagenet_class_index.json.")
    var labels: String?

    @Option(parsing: .unconditional, help: "Photos in a batch (default: 16).")
    var batchSize: Int?

    /// Photos in a batch, no more than there are.
    func batchSize(for list: PhotoList) -> Int { min(batchSize ?? 16, max(list.files.count, 1)) }

    /// Whether anything was said about photos.
    var isGiven: Bool { !images.isEmpty || preprocessing != nil || labels != nil }

    func validate() throws {
        try ValidationError.check("--batch-size", batchSize, in: OptionRange.batchSize)
        guard images.count(where: { $0 == PhotoLoader.standardInput }) <= 1 else {
            throw ValidationError("- is given twice, but standard input holds one photo")
        }
    }

    /// - Parameters:
    ///   - channels: the network's input channels.
    ///   - size: the network's input size, if it was given.
    /// - Throws: a validation error if photos cannot have these channels or the size is out of range.
    func preprocessing(for model: TrainedModel, channels: Int, size: Int?) throws -> Preprocessing {
        let prepared = try named(model, channels: channels)
        guard prepared.channels.count == channels else {
            throw ValidationError(
                "the network has \(Text.count(channels, "input channel")), but photos are prepared with "
                    + "\(prepared.channels.count); use --preprocessing plain, and a network with 1 or 3")
        }
        guard let size else { return prepared }
        do {
            return try prepared.resized(to: size)
        } catch {
            throw ValidationError("--size \(size): \(error)")
        }
    }

    private func named(_ model: TrainedModel, channels: Int) throws -> Preprocessing {
        try preprocessing?.preprocessing(size: model.stored?.size ?? 224, channels: channels)
            ?? model.preprocessing(channels: channels)
    }

    /// - Parameter classes: how many the network tells apart.
    /// - Returns: as many names, or none if they are not known.
    /// - Throws: `FileError` if the file has another number of them.
    func classNames(for model: TrainedModel, classes: Int) throws -> [String] {
        if let labels {
            let names = try ClassNames(contentsOf: labels).names
            guard names.count == classes else {
                throw FileError(
                    labels,
                    "names \(names.count) classes, but the network has \(classes); use the file that belongs "
                        + "to the weights")
            }
            return names
        }
        // The names of the data set it was trained on, unless it has got another head since.
        let names = model.classNames ?? []
        return names.count == classes ? names : []
    }
}
