import Foundation
import VGGEngine
import VGGImages
import VGGInference
import VGGModel

/// Where a network looks, and what its blocks make of a picture. It takes memory of its own beside the model's, from its
/// first use on.
final class Explainer {
    private let model: TrainedModel
    private let names: [String]
    private let gradCAM: GradCAM
    private let blocks: Executor
    /// The last layer of each block: what its pool makes.
    private let ends: [Int]

    init(_ model: TrainedModel, _ predictor: Predictor, device: Device) throws {
        (self.model, names) = (model, predictor.classNames)
        gradCAM = try model.gradCAM(for: predictor.network, device: device)
        // Maps need no classifier, whose weights are most of a VGG's.
        let maps = try predictor.network.withoutClassifier()
        let pools = maps.layers.indices.filter {
            if case .maxPool = maps.layers[$0].layer { true } else { false }
        }
        ends = pools.isEmpty ? [maps.layers.count - 1] : pools
        blocks = try model.executor(
            for: maps, batchSize: 1, precision: .fp32, keeping: Set(ends), device: device)
    }

    /// The likeliest classes, and what speaks for one of them.
    /// - Parameter label: nil for the likeliest.
    /// - Throws: `APIError` if there is no such class.
    func explanation(of image: ImageBatch, class label: Int?) throws -> JSON {
        let logits = try gradCAM.logits(image)
        try model.checkFinite(logits)
        let prediction = Prediction(logits: logits, names: names, top: 5)
        let isSingle = logits.count == 1
        let wanted = isSingle ? 0 : label ?? prediction.top.first?.label ?? 0
        guard logits.indices.contains(wanted) else { throw APIError.invalid("there is no class \(wanted)") }
        let map = try gradCAM.map(of: image, class: wanted)
        return [
            "top": .array(
                prediction.top.map {
                    [
                        "label": .number(Double($0.label)), "class": .string($0.class),
                        "probability": .number($0.probability),
                    ]
                }),
            "label": .number(Double(isSingle ? max(names.count, 1) - 1 : wanted)),
            "layer": .string(gradCAM.layer),
            "map": ["shape": .integers(map.shape), "values": .floats(map.values)],
        ]
    }

    /// For each block its strongest channels, as bytes from the least to the greatest value of each.
    /// - Parameter count: of channels.
    func maps(of image: ImageBatch, count: Int) throws -> JSON {
        let names = Dictionary(
            blocks.plan.network.layerAliases.map { ($0.value, $0.key) },
            uniquingKeysWith: { first, _ in first })
        let features = blocks.features(image)
        return .array(
            try ends.compactMap { end -> JSON? in
                guard let tensor = features[end], tensor.shape.count == 4 else { return nil }
                try model.checkFinite(tensor.values)
                let (channels, size) = (tensor.shape[1], tensor.shape[2] * tensor.shape[3])
                let values = Array(tensor.values)
                let sums = (0..<channels).map { values[$0 * size..<($0 + 1) * size].reduce(0, +) }
                // A map of a single number is bright beside the others.
                let all = size == 1 ? values[...] : nil
                let strongest = (0..<channels).sorted { (sums[$1], $0) < (sums[$0], $1) }.prefix(count)
                return [
                    "name": .string(names[end] ?? blocks.plan.network.layers[end].name),
                    "shape": .integers(Array(tensor.shape.dropFirst())),
                    "channels": .array(
                        strongest.map { channel in
                            let own = values[channel * size..<(channel + 1) * size]
                            return [
                                "number": .number(Double(channel)),
                                "bytes": .string(Self.bytes(own, in: all ?? own)),
                            ]
                        }),
                ]
            })
    }

    /// From 0, the least value of all, to 255, the greatest, in base 64.
    private static func bytes(_ values: ArraySlice<Float>, in all: ArraySlice<Float>) -> String {
        let (least, greatest) = (all.min() ?? 0, all.max() ?? 0)
        let scale = greatest > least ? 255 / (greatest - least) : 0
        return Data(values.map { UInt8(($0 - least) * scale) }).base64EncodedString()
    }
}
