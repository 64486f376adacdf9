import VGGFiles
import VGGModel

/// A layer as a weight file holds it: the tensors whose names differ in the last component alone.
struct StoredLayer {
    enum Kind {
        case convolution, linear, batchNorm
        /// A layer that no VGG has, or one whose weight is missing.
        case other
    }

    /// In the file, for errors.
    let fileName: String
    let name: LayerName
    /// The name's.
    fileprivate let tokens: [LayerName.Token]
    /// Whether the name says that the layer is of a classifier.
    let isOfClassifier: Bool
    /// Whether the layer is a part of what helps a training and is not used afterwards.
    let isAuxiliary: Bool
    /// Among the layers of the file.
    let place: Int
    private(set) var tensors: [LayerName.Role: Tensor] = [:]
    /// The tensors' names in the file.
    private(set) var tensorNames: [String] = []

    var weight: Tensor? { tensors[.weight] }
    /// The weight's; empty without one.
    var shape: [Int] { weight?.shape ?? [] }
    var outputs: Int { shape.first ?? 0 }
    /// Of a convolution.
    var inputs: Int { shape.count > 1 ? shape[1] : 0 }

    var kind: Kind {
        if tensors[.runningMean] != nil || tensors[.runningVariance] != nil { return .batchNorm }
        return switch shape.count {
        case 4: .convolution
        case 2: .linear
        default: .other
        }
    }

    fileprivate init(_ fileName: String, _ name: LayerName, place: Int) {
        self.fileName = fileName
        self.name = name
        tokens = name.tokens()
        isOfClassifier = name.isOfClassifier
        isAuxiliary = fileName.lowercased().contains("aux")
        self.place = place
    }

    fileprivate mutating func add(
        _ tensor: Tensor, as role: LayerName.Role, _ name: String
    ) throws(NotVGGError) {
        guard tensors.updateValue(tensor, forKey: role) == nil else {
            throw NotVGGError(
                "\(tensorNames.last?.quotedName ?? "") and \(name.quotedName) are the same tensor of one layer"
            )
        }
        tensorNames.append(name)
    }
}

/// The layers of a weight file, in the order of the file.
struct StoredLayers {
    private(set) var all: [StoredLayer] = []
    /// Names of tensors in the file's order that are of no layer.
    private(set) var strangers: [String] = []

    init(_ tensors: NamedTensors) throws(NotVGGError) {
        var places: [LayerName: Int] = [:]
        for (name, tensor) in tensors {
            guard let (layer, fileName, role) = LayerName.parse(name) else {
                guard !name.hasSuffix(".weight_scale") else {
                    throw NotVGGError(
                        "\(name.quotedName) is of a quantized layer; take the weights from before")
                }
                guard !Self.isPart(name) else {
                    throw NotVGGError(
                        "\(name.quotedName) is a part of a weight; make it whole with torch.nn.utils.prune.remove or "
                            + "parametrize.remove_parametrizations")
                }
                strangers.append(name)
                continue
            }
            if role == .counter { continue }
            let place = places[layer] ?? all.count
            if place == all.count {
                places[layer] = place
                all.append(StoredLayer(fileName, layer, place: place))
            }
            try all[place].add(tensor, as: role, name)
        }
        for name in strangers where name.hasSuffix(".zero_point") {
            // What observes a training that is to be quantized has no weights either.
            guard
                let (layer, fileName, _) = LayerName.parse(
                    String(name.dropLast(Self.zeroPoint.count)) + "weight"),
                places[layer] == nil,
                !layer.components.contains(where: { $0.hasSuffix("quant") || $0.hasSuffix("process") })
            else { continue }
            throw NotVGGError(
                "\(fileName.quotedName) is a quantized layer; take the weights from before torch.ao.quantization"
            )
        }
    }

    private static let zeroPoint = "zero_point"

    /// Whether a name is what pruning and normalisation make of a weight: `weight_orig`, `weight_v`,
    /// `parametrizations.weight.original0`.
    private static func isPart(_ name: String) -> Bool {
        let components = name.split(separator: ".")
        return components.last?.hasPrefix("weight_") == true || components.contains("parametrizations")
    }
}

extension [StoredLayer] {
    /// The layers in the order in which their names count: numbers by their value, words as they come first.
    var inOrderOfNames: [StoredLayer] {
        Self.ordered(map { ($0, $0.tokens) }, from: 0).map(\.0)
    }

    private typealias Named = (StoredLayer, [LayerName.Token])

    private static func ordered(_ layers: [Named], from start: Int) -> [Named] {
        guard layers.count > 1 else { return layers }
        var groups: [LayerName.Token?: [Named]] = [:]
        var order: [LayerName.Token?] = []
        for layer in layers {
            let token = start < layer.1.count ? layer.1[start] : nil
            if groups[token] == nil { order.append(token) }
            groups[token, default: []].append(layer)
        }
        var numbers = order.compactMap { token -> Int? in
            if case .number(let number) = token { number } else { nil }
        }.sorted()[...]
        return order.flatMap { token -> [Named] in
            switch token {
            case nil: groups[nil] ?? []
            case .text?: ordered(groups[token] ?? [], from: start + 1)
            case .number?: ordered(groups[.number(numbers.removeFirst())] ?? [], from: start + 1)
            }
        }
    }

    /// How many first components of their names all layers share, the last component of a name not counted.
    var sharedComponents: Int {
        guard let first = first?.name.components else { return 0 }
        return reduce(first.count - 1) { shared, layer in
            let components = layer.name.components
            return zip(first, components).prefix(Swift.min(shared, components.count - 1)).prefix { $0 == $1 }
                .count
        }
    }
}
