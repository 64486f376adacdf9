import VGGEngine
import VGGModel

/// The first layers of a network, up to the last that anything is wanted of, with their weights, for pictures of one size:
/// any height and width.
public struct PictureNetwork: Sendable {
    /// The layers up to the deepest that is asked for, for one height and width.
    public let network: Network
    /// Of `network`, under torchvision's names.
    public let weights: [String: Tensor]
    /// Where the wanted layers are in `network`.
    public let places: [String: Int]

    /// - Parameters:
    ///   - whole: of any size, with or without a classifier.
    ///   - weights: under torchvision's names; others beside them are passed over.
    ///   - layers: names that `Network.layerIndex(named:)` knows, at least one; each makes maps.
    ///   - isAveraging: makes average pools of the max pools.
    ///   - borders: of the convolutions.
    ///   - foldsBatchNorm: into the convolutions before, as a plan for gradients needs it.
    /// - Throws: `ModelError` if there is no such layer or nothing is left of the pictures before one, `WeightsError` if a tensor
    ///   is missing, `PerceptionError.foldedLayer`.
    public init(
        _ whole: Network, weights: [String: Tensor], layers: [String], height: Int, width: Int,
        isAveraging: Bool = false, borders: Convolution.Borders = .zero, foldsBatchNorm: Bool = false
    ) throws {
        let indices = try layers.map { try whole.layerIndex(named: $0) }
        let maps = try whole.maps(
            upTo: indices.max() ?? 0, height: height, width: width, isAveraging: isAveraging, borders: borders
        )
        let own = Dictionary(
            maps.parameters.compactMap { parameter in weights[parameter.name].map { (parameter.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        try WeightsError.check(own, are: maps.parameters)
        guard foldsBatchNorm else {
            network = maps
            self.weights = own
            places = Dictionary(zip(layers, indices), uniquingKeysWith: { first, _ in first })
            return
        }
        let folded = try maps.foldingBatchNorm()
        for (name, index) in zip(layers, indices) {
            let carried = folded.places.lastIndex(of: folded.places[index]) ?? index
            guard carried == index else {
                let aliases = maps.layerAliases
                throw PerceptionError.foldedLayer(
                    name, norm: aliases.first { $0.value == carried }?.key ?? maps.layers[carried].name)
            }
        }
        network = folded.network
        self.weights = try folded.weights(from: own)
        places = Dictionary(
            zip(layers, indices.map { folded.places[$0] }), uniquingKeysWith: { first, _ in first })
    }

    /// An executor with these weights.
    /// - Parameter others: bytes that are needed beside its own.
    /// - Throws: `PlanError`, also if there is no memory for it.
    public func executor(
        mode: Mode, batchSize: Int = 1, precision: Precision = .fp32, beside others: Int = 0, device: Device
    ) throws -> Executor {
        let plan = try plan(mode: mode, batchSize: batchSize, precision: precision)
        try plan.checkFits(on: device) { _ in others }
        let executor = try Executor(plan: plan, device: device)
        try executor.load(weights)
        return executor
    }

    /// The plan that keeps the layers.
    public func plan(
        mode: Mode, batchSize: Int = 1, precision: Precision = .fp32
    ) throws(PlanError) -> Plan {
        try Plan(
            network, batchSize: batchSize, mode: mode, precision: precision, keeping: Set(places.values))
    }
}
