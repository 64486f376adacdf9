import VGGModel

/// Which VGG a weight file holds, found by the names and shapes of its tensors.
public struct InferredModel: Hashable, Sendable {
    public let specification: ModelSpecification
    /// The width and height of the images, in pixels, that leave the maps the first linear layer reads.
    /// (A few more pixels may leave the same.)
    public let size: Int

    /// - Parameter tensors: in any naming of `WeightNaming`, also with a wrapper's prefix.
    /// - Throws: `NotVGGError` that says what does not fit.
    public init(_ tensors: NamedTensors) throws(NotVGGError) {
        let modules = try ModuleTable(tensors)
        let rows = try modules.rows()
        guard modules.linear.count == 3 else {
            throw NotVGGError("a VGG has three linear layers, this file \(modules.linear.count)")
        }
        // A product of dimensions could overflow; how many numbers there are cannot.
        let hidden = modules.linear[0].shape[0]
        let features = modules.linear[0].count / max(hidden, 1)
        // The maps that are flattened are square: features = channels · extent².
        let channels = rows.last?.channels ?? 1
        let extent = Int(Double(features / channels).squareRoot())
        guard rows.count <= 12 else {
            throw NotVGGError("it would halve the images \(rows.count) times, more than any VGG")
        }
        guard extent > 0, extent * extent * channels == features else {
            throw NotVGGError(
                "\(modules.linear[0].name) has \(features) inputs, which are no square maps of \(channels)")
        }
        var specification = ModelSpecification(rows, batchNorm: modules.hasBatchNorm)
        specification.inChannels = modules.convolutions.first?.shape[1] ?? 0
        specification.classes = modules.linear[2].shape[0]
        if hidden != paperHiddenFeatures { specification.hiddenFeatures = hidden }
        // Only torchvision's kin pool to 7×7; at the size that leaves 7×7 it makes no difference.
        specification.adaptivePool = extent == 7 && !modules.isNested
        let size = extent << rows.count
        try Self.check(specification, size: size, tensors)
        self.specification = specification
        self.size = size
    }

    /// Checks that the network has these tensors and no others.
    private static func check(
        _ specification: ModelSpecification, size: Int, _ tensors: NamedTensors
    ) throws(NotVGGError) {
        let network: Network
        do {
            network = try specification.network(size: size)
        } catch {
            throw NotVGGError("\(error)")
        }
        let canonical = WeightNaming.canonical(tensors, for: network)
        for parameter in network.parameters {
            guard let tensor = canonical[parameter.name] else {
                throw NotVGGError("tensor \(parameter.name) is missing")
            }
            guard tensor.shape == parameter.shape else {
                throw NotVGGError(
                    "tensor \(parameter.name) has the shape \(tensor.shape) where \(parameter.shape) fits")
            }
        }
        let names = Set(network.parameters.map(\.name))
        if let other = canonical.keys.filter({ !names.contains($0) }).min() {
            throw NotVGGError("tensor \(other.quotedName) has no place in it")
        }
    }
}

/// Weights that are of no VGG.
public struct NotVGGError: Error, Hashable, CustomStringConvertible {
    /// What does not fit.
    public var reason: String

    public init(_ reason: String) { self.reason = reason }

    public var description: String { "the weights are of no VGG that can be recognised: \(reason)" }
}

/// The layers that tensors belong to, in the network's order.
private struct ModuleTable {
    struct Module {
        var name: String
        /// Where it stands: block and place in nested names, else 0 and the place.
        var block: Int
        var place: Int
        /// Its weight's.
        var shape: [Int]
        /// Numbers in its weight.
        var count: Int
    }

    private(set) var convolutions: [Module] = []
    private(set) var linear: [Module] = []
    private var batchNormCount = 0
    /// Whether the names are those of nested Sequentials, which say where a block ends.
    private(set) var isNested = false

    var hasBatchNorm: Bool { batchNormCount > 0 }

    init(_ tensors: NamedTensors) throws(NotVGGError) {
        for (name, tensor) in WrappedNames.removed(from: tensors) where name.hasSuffix(".weight") {
            let module = String(name.dropLast(".weight".count))
            let place = try Self.place(of: module)
            let entry = Module(
                name: module, block: place.block ?? 0, place: place.index, shape: tensor.shape,
                count: tensor.values.count)
            if place.block != nil { isNested = true }
            switch (place.isFeature, tensor.shape.count) {
            case (true, 4): convolutions.append(entry)
            case (true, 1): batchNormCount += 1
            case (false, 2), (false, 4): linear.append(entry)
            default: throw NotVGGError("\(name.quotedName) has the shape \(tensor.shape)")
            }
        }
        convolutions.sort { ($0.block, $0.place) < ($1.block, $1.place) }
        linear.sort { $0.place < $1.place }
        guard !convolutions.isEmpty else { throw NotVGGError("there are no convolutions") }
        guard batchNormCount == 0 || batchNormCount == convolutions.count else {
            throw NotVGGError("\(batchNormCount) of \(convolutions.count) convolutions have batch norm")
        }
    }

    /// Where the module of this name stands in a VGG.
    private static func place(
        of module: String
    ) throws(NotVGGError) -> (isFeature: Bool, block: Int?, index: Int) {
        let parts = module.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        // No network is so long, and sums of two places do not overflow.
        let numbers = parts.map { part in Int(part).flatMap { (0..<1000).contains($0) ? $0 : nil } }
        switch (parts.first, parts.count) {
        case ("features", 2): if let index = numbers[1] { return (true, nil, index) }
        case ("classifier", 2): if let index = numbers[1] { return (false, nil, index) }
        case ("pre_logits", 2):
            if let index = ["fc1", "fc2"].firstIndex(of: parts[1]) { return (false, nil, index) }
        case ("head", 2): if parts[1] == "fc" { return (false, nil, 2) }
        case (_, 1): if let index = numbers[0] { return (false, nil, index) }
        case (_, 2): if let block = numbers[0], let index = numbers[1] { return (true, block, index) }
        default: break
        }
        throw NotVGGError("layer \(module.quotedName) has no place in it")
    }

    /// The rows of the network: the convolutions, block by block.
    func rows() throws(NotVGGError) -> ConvArch {
        var rows: ConvArch = []
        for (index, convolution) in convolutions.enumerated() {
            let channels = convolution.shape[0]
            guard channels > 0, convolution.shape[2...] == [3, 3] else {
                throw NotVGGError(
                    "\(convolution.name) has the shape \(convolution.shape); a VGG's kernels are 3×3")
            }
            if index > 0, try continuesBlock(convolutions[index - 1], convolution) {
                guard channels == rows[rows.count - 1].channels else {
                    throw NotVGGError("\(convolution.name) has other channels than its block")
                }
                rows[rows.count - 1].convolutions += 1
            } else {
                rows.append((1, channels))
            }
        }
        return rows
    }

    /// Whether `next` follows `previous` in its block; else a pooling layer is between them.
    private func continuesBlock(_ previous: Module, _ next: Module) throws(NotVGGError) -> Bool {
        if isNested { return previous.block == next.block }
        // After a convolution come batch norm, if any, and ReLU.
        let distance = hasBatchNorm ? 3 : 2
        switch next.place - previous.place {
        case distance: return true
        case distance + 1: return false
        default: throw NotVGGError("\(previous.name) and \(next.name) are not as far apart as in a VGG")
        }
    }
}
