import VGGInference

/// An answer of the Open Inference Protocol v2, with its binary extension.
struct InferenceResponse {
    /// The JSON, and after it the binary tensors.
    var body: [UInt8]
    /// How much of the body is JSON, if there is something after it.
    var headerLength: Int?

    /// - Parameter logits: [count, classes].
    init(_ logits: [Float], to request: InferenceRequest, of model: ServedModel) {
        let count = logits.count / model.classes
        let names = model.predictor.classNames
        let rows = (0..<count).map { Array(logits[$0 * model.classes..<($0 + 1) * model.classes]) }
        var outputs: [JSON] = []
        var binary: [UInt8] = []
        for output in request.outputs {
            let values =
                output.name == ServedModel.logits ? rows : rows.map { Self.probabilities($0, of: model) }
            var tensor: [String: JSON] = ["name": .string(output.name)]
            let start = binary.count
            if let wanted = output.classification {
                let texts = values.map { Self.classes($0, names: names, top: wanted) }
                tensor["datatype"] = "BYTES"
                tensor["shape"] = .integers([count, texts.first?.count ?? 0])
                if output.isBinary {
                    for text in texts.joined() {
                        withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { binary += $0 }
                        binary += text.utf8
                    }
                } else {
                    tensor["data"] = .array(texts.joined().map(JSON.string))
                }
            } else {
                tensor["datatype"] = "FP32"
                tensor["shape"] = .integers([count, values.first?.count ?? 0])
                if output.isBinary {
                    for value in values.joined() {
                        withUnsafeBytes(of: value.bitPattern.littleEndian) { binary += $0 }
                    }
                } else {
                    tensor["data"] = .floats(values.joined())
                }
            }
            if output.isBinary {
                tensor["parameters"] = ["binary_data_size": .number(Double(binary.count - start))]
            }
            outputs.append(.object(tensor))
        }
        var answer: [String: JSON] = [
            "model_name": .string(model.name), "model_version": .string(ServedModel.version),
            "outputs": .array(outputs),
        ]
        if let id = request.id { answer["id"] = .string(id) }
        body = Array(JSON.object(answer).line.utf8)
        if request.outputs.contains(where: \.isBinary) {
            headerLength = body.count
            body += binary
        }
    }

    /// In the order of the classes.
    private static func probabilities(_ logits: [Float], of model: ServedModel) -> [Float] {
        let all = Prediction(logits: logits, names: model.predictor.classNames, top: .max).top
        return all.sorted { $0.label < $1.label }.map { Float($0.probability) }
    }

    /// The classification extension: `value:index` or `value:index:label`, the largest first.
    private static func classes(_ values: [Float], names: [String], top: Int) -> [String] {
        values.enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.prefix(top).map {
            "\($0.element):\($0.offset)" + ($0.offset < names.count ? ":\(names[$0.offset])" : "")
        }
    }
}
