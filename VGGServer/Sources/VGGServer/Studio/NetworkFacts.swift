import VGGEngine
import VGGFiles
import VGGModel
import VGGPictures

/// What the studio says of a network: its drawing, and each layer.
struct NetworkFacts {
    let network: Network
    let title: String

    /// The network of a served model.
    init(_ model: ServedModel) {
        network = model.predictor.network
        title = model.name
    }

    /// The chapter's network of a name, for pictures of 224×224 pixels with three channels and a thousand classes, as its
    /// paper has it.
    /// - Throws: `APIError` if there is none.
    init(architecture name: String) throws(APIError) {
        var specification = ModelSpecification()
        (specification.arch, specification.inChannels, specification.classes) = (name, 3, 1000)
        guard let network = try? specification.network(size: 224) else {
            throw APIError(.notFound, "there is no such architecture")
        }
        (self.network, title) = (network, name)
    }

    /// - Parameter device: whose memory is meant.
    func json(on device: Device) -> JSON {
        let names = Dictionary(
            network.layerAliases.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
        func memory(_ mode: Mode) -> JSON {
            guard let plan = try? Plan(network, batchSize: 1, mode: mode, precision: .fp32) else {
                return .null
            }
            return .number(Double(device.memory(of: plan, optimizer: nil).total))
        }
        return [
            "title": .string(title), "input": .integers(network.input.dimensions),
            "parameters": .number(Double(network.parameterCount)),
            "macs": .number(Double(network.multiplyAccumulates)), "memory": memory(.inference),
            "drawing": .string(NetworkDrawing(network, title: title).svg()),
            "layers": .array(
                network.layers.enumerated().map { index, placed in
                    [
                        "name": .string(placed.name), "alias": .string(names[index] ?? placed.name),
                        "kind": .string(placed.layer.className),
                        "block": .number(Double(placed.block)), "input": .integers(placed.input.dimensions),
                        "output": .integers(placed.output.dimensions),
                        "parameters": .number(Double(placed.parameterCount)),
                        "macs": .number(Double(placed.multiplyAccumulates)),
                        "bytes": .number(Double(placed.output.count * MemoryLayout<Float>.size)),
                    ]
                }),
        ]
    }
}
