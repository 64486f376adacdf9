import HTTPTypes
import VGGEngine
import VGGImages
import VGGInference
import VGGModel
import VGGPerception

/// A served model's layers that make maps, which look at pictures of any size.
struct PictureMaps: Sendable {
    let network: Network
    let weights: [String: Tensor]
    let preprocessing: Preprocessing

    /// - Throws: `FileError` if the file lacks a tensor.
    init(_ trained: TrainedModel, _ predictor: Predictor) throws {
        network = try predictor.network.withoutClassifier()
        weights = try trained.tensors(for: network)
        preprocessing = predictor.preprocessing
    }

    /// What pictures are compared by, and its name: the features, and LPIPS where its linear weights are this network's.
    func metrics(_ linear: LPIPSWeights?) -> [(name: String, metric: PerceptualMetric)] {
        let features = PerceptualMetric.features(PerceptualMetric.lastReLUs(of: network))
        guard let linear, isMeant(by: linear) else { return [("features", features)] }
        return [("features", features), ("lpips", .lpips(linear))]
    }

    private func isMeant(by linear: LPIPSWeights) -> Bool {
        let aliases = network.layerAliases
        return zip(LPIPSWeights.layers, linear.factors).allSatisfy { name, factors in
            aliases[name].map { network.layers[$0].output.dimensions[0] == factors.count } ?? false
        }
    }

    /// What a client is told where the network cannot look at pictures as it asks, or there is no memory for it.
    static func problem(_ error: any Error) -> any Error {
        switch error {
        case is ModelError, is PerceptionError: APIError.invalid("\(error)")
        case is PlanError: APIError(HTTPResponse.Status(code: 507), "\(error)")
        default: error
        }
    }
}
