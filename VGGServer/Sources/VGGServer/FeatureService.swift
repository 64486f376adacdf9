import VGGEngine
import VGGInference
import VGGModel

/// What a network's inner layers make of a picture. The executor of the layer that was asked for last is kept.
actor FeatureService {
    private let trained: TrainedModel
    private let predictor: Predictor
    private let settings: ServerSettings
    private var lane: (layer: Int, executor: Lane<Executor>)?
    private var requests = 0
    /// Requests that wait or run at most: each may have to make an executor.
    private static let maxRequests = 4

    init(_ trained: TrainedModel, _ predictor: Predictor, _ settings: ServerSettings) {
        (self.trained, self.predictor, self.settings) = (trained, predictor, settings)
    }

    /// - Parameter layer: a name of the VGG literature or torchvision's.
    /// - Throws: `APIError` if there is no such layer, or too many ask; or what the executor throws.
    func features(
        of image: ImageBatch, layer name: String, by deadline: ContinuousClock.Instant
    ) async throws -> Tensor {
        guard requests < Self.maxRequests else { throw APIError.busy("others wait for features") }
        requests += 1
        defer { requests -= 1 }
        let (layer, executor) = try lane(for: name)
        let features: Tensor
        do {
            features = try await executor.run(by: deadline) { executor in
                guard let features = executor.features(image)[layer] else {
                    throw APIError.invalid("the layer has no output of its own")
                }
                return features
            }
        } catch {
            throw PictureMaps.problem(error)
        }
        guard features.values.allSatisfy(\.isFinite) else {
            throw APIError.invalid("the network's answer to this input is not finite")
        }
        return features
    }

    private func lane(for name: String) throws -> (layer: Int, executor: Lane<Executor>) {
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
        let executor = Lane("FeatureService") {
            try trained.executor(
                for: network, batchSize: 1, precision: settings.precision, keeping: [layer],
                device: settings.device)
        }
        lane = (layer, executor)
        return (layer, executor)
    }
}
