import VGGModel

/// Which VGG a weight file holds, found by the names and shapes of its tensors.
///
/// From names to layers (`LayerName`, `StoredLayers`), from layers to a chain of convolutions with its classifier
/// (`StoredNetwork`, `Classifier`), from the chain to rows (`BlockReader`), and from these to a specification, whose
/// network must then have exactly these tensors.
public struct InferredModel: Sendable {
    /// Which network the tensors are of.
    public let specification: ModelSpecification
    /// The width and height of the images, in pixels, that leave the maps the first linear layer reads; 224 without
    /// a classifier. (A few more pixels may leave the same.)
    public let size: Int
    /// Names of tensors that are not the network's.
    public let passedOver: [String]
    /// What people should know about how the file was read, each a line.
    public let notes: [String]

    /// - Parameters:
    ///   - tensors: in any naming, also with prefixes and beside others that are not the network's.
    ///   - convArch: the rows, where the names do not say them; nil to find them.
    /// - Throws: `NotVGGError` that says what does not fit.
    public init(_ tensors: NamedTensors, convArch: ConvArch? = nil) throws(NotVGGError) {
        do {
            try self.init(tensors, convArch.map(StoredNetwork.Rows.given) ?? .unknown)
        } catch {
            // No rows are suggested that would be refused as well.
            if let rows = error.suggestion { _ = try Self(tensors, .given(rows)) }
            throw error
        }
    }

    private init(_ tensors: NamedTensors, _ rows: StoredNetwork.Rows) throws(NotVGGError) {
        let layers = try StoredLayers(tensors)
        let network = try StoredNetwork.find(in: layers, rows)
        try network.checkNothingElse(in: layers, isKnown: !rows.areUnknown, tensors)
        specification = try network.specification
        size = try network.size
        try network.checkFits(specification, size: size)
        passedOver = network.strangers(in: layers, tensors)
        notes = network.notes(specification, size: size, passedOver: passedOver)
    }
}

extension StoredNetwork {
    /// Whether the layer that makes one number a class is missing: timm's `pre_logits` alone, or hidden layers of the
    /// paper's 4096 with nothing after them.
    var isHeadless: Bool {
        linear.allSatisfy { $0.name.components.contains("pre_logits") }
            || linear.allSatisfy { $0.outputs == paperHiddenFeatures[0] }
    }

    /// The side of the maps that the classifier reads; nil without one.
    private var extent: Int? {
        linear.first.flatMap { $0.extent(channels: convolutions.last?.outputs ?? 0) }
    }

    fileprivate var specification: ModelSpecification {
        get throws(NotVGGError) {
            var specification = ModelSpecification(rows, batchNorm: !norms.isEmpty)
            specification.inChannels = convolutions[0].inputs
            specification.classes = isHeadless ? 0 : linear.last?.outputs ?? 0
            specification.hiddenFeatures = (isHeadless ? linear : linear.dropLast()).map(\.outputs)
            // Only torchvision's kin pool to 7×7; at the size that leaves 7×7 it makes no difference.
            specification.pool = extent == 7 && linearPlace == nil ? 7 : nil
            return specification
        }
    }

    fileprivate var size: Int {
        get throws(NotVGGError) {
            let blocks = rows.blocks.count
            guard blocks <= 12 else {
                throw NotVGGError("it would halve the images \(blocks) times, more than any VGG")
            }
            return extent.map { $0 << blocks } ?? max(224, 1 << blocks)
        }
    }

    /// Checks that the network of the specification has these tensors, of these shapes.
    fileprivate func checkFits(_ specification: ModelSpecification, size: Int) throws(NotVGGError) {
        let network: Network
        do {
            network = try specification.network(size: size)
        } catch {
            throw NotVGGError("\(error)")
        }
        let tensors = try tensors(for: network)
        for (layer, stored) in network.matched(to: self).sorted(by: { $0.1.place < $1.1.place }) {
            for parameter in layer.parameters {
                let name = "\(stored.fileName).\(parameter.name.dropFirst(layer.name.count + 1))"
                guard let tensor = tensors[parameter.name] else {
                    throw NotVGGError("tensor \(name) is missing")
                }
                guard tensor.shape == parameter.shape else {
                    throw NotVGGError(
                        "tensor \(name) has the shape \(tensor.shape) where \(parameter.shape) fits")
                }
            }
        }
    }

    fileprivate func notes(
        _ specification: ModelSpecification, size: Int, passedOver: [String]
    ) -> [String] {
        var notes: [String] = []
        if isCut || specification.convArch != nil || specification.widthDivisor != 1
            || extent != nil && size != 224
        {
            let what = "\(rows)\(norms.isEmpty ? "" : " with batch norm")"
            notes.append(
                linear.isEmpty
                    ? "read as \(what), without a classifier"
                    : "read as \(what) for images of \(size)×\(size) pixels")
        }
        return notes + [WeightNaming.note(passedOver: passedOver)].compactMap(\.self)
    }
}
