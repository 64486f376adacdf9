import CoreMetrics
import Foundation
import Synchronization
import VGGEngine
import VGGFiles
import VGGImages
import VGGInference
import VGGModel

/// A network that answers requests.
final class ServedModel: Sendable {
    /// A model has one version as long as the server runs.
    static let version = "1"
    /// The names of its only input and of its outputs in the protocol.
    static let input = "input"
    static let logits = "logits"
    static let probabilities = "probabilities"

    let name: String
    let trained: TrainedModel
    let predictor: Predictor
    let features: FeatureService
    let distances: Lane<PictureDistances>
    let batcher: Batcher
    let counts: Counts
    private let isWarm = Flag()

    var isReady: Bool { isWarm.isSet }
    var shape: Shape { predictor.network.input }
    /// How many logits an image has.
    var classes: Int { predictor.network.output.count }
    /// How many probabilities: a single output whose two classes have names tells both.
    var probabilities: Int { classes == 1 && predictor.classNames.count == 2 ? 2 : classes }

    /// - Parameter path: a run folder or a weight file.
    /// - Throws: what `Predictor` throws.
    init(_ path: String, settings: ServerSettings, metrics: any MetricsFactory) throws {
        name = Self.name(of: path)
        let trained = try TrainedModel(runOrWeights: path)
        self.trained = trained
        let predictor = try Predictor(
            trained, device: settings.device, precision: settings.precision, batchSize: settings.maxBatchSize,
            executors: 1)
        self.predictor = predictor
        features = FeatureService(trained, predictor, settings)
        distances = Lane("Distances") {
            PictureDistances(
                try PictureMaps(trained, predictor), linear: settings.linear, device: settings.device)
        }

        let dimensions = [("model", name)]
        let waiting = Timer(label: "vgg_queue_seconds", dimensions: dimensions, factory: metrics)
        let computing = Timer(label: "vgg_compute_seconds", dimensions: dimensions, factory: metrics)
        let sizes = Recorder(label: "vgg_batch_images", dimensions: dimensions, factory: metrics)
        let images = Counter(label: "vgg_images_total", dimensions: dimensions, factory: metrics)
        let counts = Counts()
        batcher = Batcher(
            maxBatchSize: settings.maxBatchSize, maxDelay: settings.maxQueueDelay, maxQueue: settings.maxQueue
        ) { requests in
            try await predictor.logits(forEach: requests)
        } report: { batch in
            for wait in batch.waited { waiting.recordNanoseconds(Int64(wait.nanoseconds)) }
            computing.recordNanoseconds(Int64(batch.computed.nanoseconds))
            sizes.record(batch.images)
            images.increment(by: batch.images)
            counts.value.withLock { $0.add(batch) }
        }
        self.counts = counts
    }

    /// Computes a full batch and a single image once, so that the first request finds memory touched and code in the cache.
    /// - Throws: `FileError` if the weights give no finite numbers.
    func warmUp() async throws {
        for count in Set([1, batcher.maxBatchSize]) {
            let zeros = try ImageBatch(
                Array(repeating: 0, count: count * shape.count), count: count, shape: shape)
            _ = try await predictor.logits(for: zeros)
        }
        isWarm.set()
    }

    /// A name for addresses: the file's or folder's, without its ending and with what an address would have to escape
    /// replaced.
    static func name(of path: String) -> String {
        let file = URL(fileURLWithPath: path).lastPathComponent
        let endings = [".safetensors", ".pth", ".pt", ".bin"]
        let stem = endings.first { file.lowercased().hasSuffix($0) }.map { String(file.dropLast($0.count)) }
        let name = (stem ?? file).map {
            $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-"
        }
        return String(name)
    }

    /// What it has done; a class, so that the batcher's report can share it.
    final class Counts: Sendable {
        let value = Mutex(ModelStatistics())
    }

    // MARK: What the protocol says of it

    private func tensor(_ name: String, _ datatype: String, _ shape: [Int]) -> JSON {
        ["name": .string(name), "datatype": .string(datatype), "shape": .integers(shape)]
    }

    var metadata: JSON {
        [
            "name": .string(name), "versions": [.string(Self.version)], "platform": "swift-vgg",
            "inputs": [tensor(Self.input, "FP32", [-1] + shape.dimensions)],
            "outputs": [
                tensor(Self.logits, "FP32", [-1, classes]),
                tensor(Self.probabilities, "FP32", [-1, probabilities]),
            ],
        ]
    }

    func configuration(_ settings: ServerSettings) -> JSON {
        func tensor(_ name: String, _ dimensions: [Int]) -> JSON {
            ["name": .string(name), "data_type": "TYPE_FP32", "dims": .integers(dimensions)]
        }
        return [
            "name": .string(name), "platform": "swift-vgg", "backend": "swift-vgg",
            "max_batch_size": .number(Double(settings.maxBatchSize)),
            "input": [tensor(Self.input, shape.dimensions)],
            "output": [tensor(Self.logits, [classes]), tensor(Self.probabilities, [probabilities])],
            "dynamic_batching": [
                "max_queue_delay_microseconds": .number(settings.maxQueueDelay / .microseconds(1)),
                "default_queue_policy": ["max_queue_size": .number(Double(settings.maxQueue))],
            ],
        ]
    }
}
