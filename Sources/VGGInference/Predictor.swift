import VGGEngine
import VGGFiles
import VGGImages
import VGGModel

/// Says what photos show, for many tasks at once, with one copy of the weights: what a server needs.
///
///     let predictor = try Predictor(runOrWeights: "vgg16-397923af.pth", device: .best)
///     let prediction = try await predictor.prediction(for: RGBImage(contentsOf: "cat.jpg"))
///     print(prediction.top[0].class, prediction.top[0].probability)
///
/// What is wrong with an input is thrown, and ends nothing else.
public final class Predictor: Sendable {
    /// What answers.
    public let network: Network
    /// How photos become its input.
    public let preprocessing: Preprocessing
    /// The classes' names; none if they are not known.
    public let classNames: [String]
    /// The weight file.
    private let path: String
    private let pool: InferencePool

    /// - Parameters:
    ///   - path: what `TrainedModel` reads: a run folder, or a weight file of any format.
    ///   - precision: nil for the one they were trained in, or fp32 if that is not known.
    ///   - batchSize: so many images are run at once at most.
    ///   - executors: so many requests run at once, each with memory for a batch; more wait for their turn.
    /// - Throws: what `TrainedModel` throws; `FileError` if the file does not say which network it is, has no classifier or
    ///   lacks a tensor; or `PlanError`.
    public convenience init(
        runOrWeights path: String, device: Device, precision: Precision? = nil, batchSize: Int = 1,
        executors: Int = 2
    ) throws {
        try self.init(
            TrainedModel(runOrWeights: path), device: device, precision: precision, batchSize: batchSize,
            executors: executors)
    }

    /// The same for weights that have been read. The predictor keeps a copy of its own.
    public init(
        _ model: TrainedModel, device: Device, precision: Precision? = nil, batchSize: Int = 1,
        executors: Int = 2
    ) throws {
        guard let stored = model.stored else {
            throw FileError(model.path, model.problem.map { "\($0)" } ?? "does not say which network it is")
        }
        path = model.path
        preprocessing = try model.preprocessing(channels: stored.model.inChannels)
        network = try stored.model.network(size: preprocessing.size)
        try model.checkHasClassifier(network)
        classNames = model.classNames ?? []
        pool = try InferencePool(
            model.packedWeights(
                for: network, batchSize: batchSize, precision: precision, executors: executors,
                device: device),
            executors: executors)
    }

    /// What a photo shows; it is prepared as the weights expect.
    /// - Parameter top: of so many classes at most.
    /// - Throws: `FileError` if the weights give no finite numbers, or `CancellationError`.
    public func prediction(for photo: RGBImage, top: Int = 5) async throws -> Prediction {
        let logits = try await logits(for: preprocessing.input(from: photo))
        return Prediction(logits: logits, names: classNames, top: top)
    }

    /// What images show that have been prepared.
    /// - Parameter top: of so many classes at most.
    /// - Throws: `InputError` if they are of another shape than the network's; else as `prediction(for:)`.
    public func predictions(for images: ImageBatch, top: Int = 5) async throws -> [Prediction] {
        let logits = try await logits(for: images)
        let classes = network.output.count
        return (0..<images.count).map { image in
            Prediction(
                logits: Array(logits[image * classes..<(image + 1) * classes]), names: classNames, top: top)
        }
    }

    /// The logits of images that have been prepared, [count, classes].
    /// - Throws: as `predictions(for:)`.
    public func logits(for images: ImageBatch) async throws -> [Float] {
        try await logits(forEach: [images])[0].get()
    }

    /// The logits of several callers' images, which are run together: one's are the same to the bit as without the others.
    /// - Returns: for each caller [count, classes], or the `FileError` that these are not finite.
    /// - Throws: `InputError` if a caller's images are of another shape than the network's, or `CancellationError`.
    public func logits(forEach callers: [ImageBatch]) async throws -> [Result<[Float], FileError>] {
        for images in callers { try images.check(fits: network.input) }
        let all =
            callers.count == 1
            ? callers[0]
            : try ImageBatch(
                callers.flatMap(\.values), count: callers.map(\.count).reduce(0, +), shape: network.input)
        var rest = try await pool.logits(all)[...]
        return callers.map { images in
            let own = Array(rest.prefix(images.count * network.output.count))
            rest = rest.dropFirst(own.count)
            return Result { () throws(FileError) in
                try TrainedModel.checkFinite(own, of: path)
                return own
            }
        }
    }
}
