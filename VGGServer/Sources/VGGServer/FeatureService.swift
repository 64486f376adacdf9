import Dispatch
import VGGEngine
import VGGInference
import VGGModel

/// What a network's inner layers make of a picture. The executor of the layer that was asked for last is kept.
actor FeatureService {
    private let trained: TrainedModel
    private let predictor: Predictor
    private let settings: ServerSettings
    private var lane: Lane?
    private var requests = 0
    /// Requests that wait or run at most: each may have to make an executor.
    private static let maxRequests = 4

    /// An executor that keeps one layer, on a queue of its own.
    private final class Lane: Sendable {
        let layer: Int
        private let queue = DispatchQueue(label: "VGGServer.FeatureService", qos: .userInitiated)
        /// Only the queue, which does one thing at a time, uses it.
        nonisolated(unsafe) private var executor: Executor?
        private let make: @Sendable () throws -> Executor

        init(layer: Int, _ make: @escaping @Sendable () throws -> Executor) {
            (self.layer, self.make) = (layer, make)
        }

        func features(_ images: ImageBatch) async throws -> Tensor {
            try await withCheckedThrowingContinuation { continuation in
                queue.async {
                    continuation.resume(
                        with: Result {
                            let executor = try self.executor ?? self.make()
                            self.executor = executor
                            guard let tensor = executor.features(images)[self.layer] else {
                                throw APIError.invalid("the layer has no output of its own")
                            }
                            return tensor
                        })
                }
            }
        }
    }

    init(_ trained: TrainedModel, _ predictor: Predictor, _ settings: ServerSettings) {
        (self.trained, self.predictor, self.settings) = (trained, predictor, settings)
    }

    /// - Parameter layer: a name of the VGG literature or torchvision's.
    /// - Throws: `APIError` if there is no such layer, or too many ask; or what the executor throws.
    func features(of image: ImageBatch, layer name: String) async throws -> Tensor {
        guard requests < Self.maxRequests else { throw APIError.busy("others wait for features") }
        requests += 1
        defer { requests -= 1 }
        let lane = try lane(for: name)
        let features = try await lane.features(image)
        guard features.values.allSatisfy(\.isFinite) else {
            throw APIError.invalid("the network's answer to this input is not finite")
        }
        return features
    }

    private func lane(for name: String) throws -> Lane {
        let whole = predictor.network
        let layer: Int
        do {
            layer = try whole.layerIndex(named: name)
        } catch {
            throw APIError.invalid("\(error)")
        }
        if let lane, lane.layer == layer { return lane }
        // Maps need no classifier, whose weights are most of a VGG's.
        let maps = try whole.withoutClassifier()
        let network = maps.layers.indices.contains(layer) ? maps : whole
        let (trained, settings) = (trained, settings)
        let lane = Lane(layer: layer) {
            try trained.executor(
                for: network, batchSize: 1, precision: settings.precision, keeping: [layer],
                device: settings.device)
        }
        self.lane = lane
        return lane
    }
}
