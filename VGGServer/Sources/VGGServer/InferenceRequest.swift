import Foundation
import VGGModel

/// A request of the Open Inference Protocol v2, with its binary extension: JSON, and after it the tensors that it says
/// are binary.
struct InferenceRequest {
    /// An output that is wanted.
    struct Output {
        var name: String
        var isBinary: Bool
        /// So many of the likeliest classes instead of numbers; nil for numbers.
        var classification: Int?
    }

    enum Input {
        /// Prepared images.
        case images(ImageBatch)
        /// JPEG, PNG or WebP files.
        case pictures([[UInt8]])
    }

    var id: String?
    var input: Input
    var outputs: [Output]
    /// How long the client wants to wait; nil if it does not say.
    var timeout: Duration?

    /// - Parameters:
    ///   - body: the whole body, unpacked.
    ///   - headerLength: how much of it is JSON; nil for all.
    ///   - share: takes the memory for what the JSON holds.
    /// - Throws: `APIError` that says what is wrong with the request.
    init(
        _ body: [UInt8], headerLength: Int?, share: BodyMemory.Share, for model: ServedModel,
        maxBatchSize: Int
    ) throws(APIError) {
        let headerLength = headerLength ?? body.count
        guard headerLength <= body.count else {
            throw .invalid("Inference-Header-Content-Length is not within the body")
        }
        let header: JSON
        do {
            header = try JSON(reading: body[..<headerLength], share: share)
        } catch {
            if let bytes = error.lackingBytes { throw share.problem(lacking: bytes) }
            throw .invalid("failed to parse the request JSON: \(error)")
        }
        guard case .object = header else { throw .invalid("the request is not a JSON object") }
        let parameters = try Self.parameters(of: header, "the request")
        id = try Self.id(header["id"])
        if let microseconds = parameters["timeout"] {
            guard let number = microseconds.integer, number >= 0 else {
                throw .invalid("the parameter 'timeout' must be a number of microseconds")
            }
            // 0 is the protocol's default.
            timeout = number > 0 ? .microseconds(number) : nil
        }
        outputs = try Self.outputs(header["outputs"], parameters, of: model)
        input = try Self.input(
            header["inputs"], binary: body[headerLength...], of: model, maxBatchSize: maxBatchSize)
    }

    private static func id(_ value: JSON?) throws(APIError) -> String? {
        switch value {
        case nil: return nil
        case .string(let text): return text
        case .number(let number): return JSON.number(number).line
        default: throw .invalid("'id' must be a string")
        }
    }

    private static func parameters(of value: JSON, _ what: String) throws(APIError) -> [String: JSON] {
        switch value["parameters"] {
        case nil: return [:]
        case .object(let members): return members
        default: throw .invalid("'parameters' of \(what) must be an object")
        }
    }

    private static func flag(_ value: JSON?, _ name: String) throws(APIError) -> Bool? {
        guard let value else { return nil }
        guard let flag = value.bool else { throw .invalid("the parameter '\(name)' must be true or false") }
        return flag
    }

    private static func refuseSharedMemory(_ parameters: [String: JSON]) throws(APIError) {
        guard parameters.keys.allSatisfy({ !$0.hasPrefix("shared_memory") }) else {
            throw .invalid("shared memory is not supported")
        }
    }

    // MARK: Outputs

    private static func outputs(_ value: JSON?, _ parameters: [String: JSON], of model: ServedModel)
        throws(APIError) -> [Output]
    {
        let isBinary = try flag(parameters["binary_data_output"], "binary_data_output") ?? false
        guard let value else {
            return [ServedModel.logits, ServedModel.probabilities].map {
                Output(name: $0, isBinary: isBinary)
            }
        }
        guard let list = value.elements else { throw .invalid("'outputs' must be an array") }
        guard !list.isEmpty else { return try outputs(nil, parameters, of: model) }
        var outputs: [Output] = []
        for element in list {
            guard let name = element["name"]?.string else { throw .invalid("an output has no name") }
            guard [ServedModel.logits, ServedModel.probabilities].contains(name) else {
                throw .invalid("unexpected inference output '\(name)' for model '\(model.name)'")
            }
            guard !outputs.contains(where: { $0.name == name }) else {
                throw .invalid("the output '\(name)' is requested twice")
            }
            let own = try Self.parameters(of: element, "output '\(name)'")
            try refuseSharedMemory(own)
            var output = Output(
                name: name, isBinary: try flag(own["binary_data"], "binary_data") ?? isBinary)
            if let classification = own["classification"] {
                guard let count = classification.integer, count > 0 else {
                    throw .invalid("the parameter 'classification' must be a number above 0")
                }
                output.classification = count
            }
            outputs.append(output)
        }
        return outputs
    }

    // MARK: Inputs

    private static func input(
        _ value: JSON?, binary: ArraySlice<UInt8>, of model: ServedModel, maxBatchSize: Int
    ) throws(APIError) -> Input {
        guard let list = value?.elements else { throw .invalid("'inputs' must be an array") }
        guard list.count == 1, let tensor = list.first else {
            throw .invalid("expected 1 inputs but got \(list.count) inputs for model '\(model.name)'")
        }
        guard let name = tensor["name"]?.string, let datatype = tensor["datatype"]?.string,
            let dimensions = tensor["shape"]?.elements
        else { throw .invalid("an input must have a name, a datatype and a shape") }
        guard name == ServedModel.input else {
            throw .invalid("unexpected inference input '\(name)' for model '\(model.name)'")
        }
        var shape: [Int] = []
        for dimension in dimensions {
            guard let size = dimension.integer else { throw .invalid("a shape must be whole numbers") }
            shape.append(size)
        }
        let parameters = try Self.parameters(of: tensor, "input '\(name)'")
        try refuseSharedMemory(parameters)
        let expected = datatype == "BYTES" ? [] : model.shape.dimensions
        guard let count = shape.first,
            Array(shape.dropFirst()) == expected || expected.isEmpty && shape == [count, 1]
        else {
            throw .invalid(
                "unexpected shape for input '\(name)' for model '\(model.name)'. Expected \([-1] + expected), got \(shape)"
            )
        }
        guard (1...maxBatchSize).contains(count) else {
            throw .invalid(
                "inference request batch-size must be from 1 to \(maxBatchSize) for '\(model.name)', not \(count)"
            )
        }
        let raw = try self.raw(parameters["binary_data_size"], binary, hasData: tensor["data"] != nil)
        switch datatype {
        case "FP32", "BF16":
            let numbers = count * model.shape.count
            let values: [Float]
            if let raw {
                values = datatype == "FP32" ? floats(raw) : bfloats(raw)
                guard raw.count == numbers * (datatype == "FP32" ? 4 : 2) else {
                    throw .invalid(
                        "input '\(name)' has \(raw.count) bytes, but its shape needs \(numbers) numbers")
                }
            } else if datatype == "BF16" {
                throw .invalid("BF16 data must be binary")
            } else {
                values = try floats(tensor["data"], count: numbers)
            }
            guard values.allSatisfy(\.isFinite) else {
                throw .invalid("input '\(name)' holds numbers that are not finite")
            }
            do {
                return .images(try ImageBatch(values, count: count, shape: model.shape))
            } catch {
                throw .invalid("\(error)")
            }
        case "BYTES":
            let pictures: [[UInt8]]
            if let raw {
                pictures = try elements(of: raw)
            } else {
                pictures = try texts(
                    tensor["data"], isBase64: parameters["content_type"]?.string == "base64")
            }
            guard pictures.count == count else {
                throw .invalid("input '\(name)' has \(pictures.count) elements, but its shape says \(count)")
            }
            return .pictures(pictures)
        default:
            throw .invalid(
                "inference input '\(name)' data-type is '\(datatype)', but model '\(model.name)' expects 'FP32', 'BF16' or 'BYTES'"
            )
        }
    }

    /// The binary data of the only input; nil if its data are in the JSON.
    private static func raw(_ size: JSON?, _ binary: ArraySlice<UInt8>, hasData: Bool) throws(APIError)
        -> ArraySlice<UInt8>?
    {
        guard let size else {
            guard binary.isEmpty else { throw .invalid("there are binary data that no input has") }
            guard hasData else { throw .invalid("an input has neither 'data' nor 'binary_data_size'") }
            return nil
        }
        guard !hasData else { throw .invalid("an input has both 'data' and 'binary_data_size'") }
        guard size.integer == binary.count else {
            throw .invalid("'binary_data_size' is not the size of the binary data, \(binary.count) bytes")
        }
        return binary
    }

    private static func floats(_ bytes: ArraySlice<UInt8>) -> [Float] {
        bytes.withUnsafeBytes { memory in
            (0..<memory.count / 4).map {
                Float(
                    bitPattern: UInt32(
                        littleEndian: memory.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }

    private static func bfloats(_ bytes: ArraySlice<UInt8>) -> [Float] {
        bytes.withUnsafeBytes { memory in
            (0..<memory.count / 2).map {
                let half = UInt16(littleEndian: memory.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
                return Float(bitPattern: UInt32(half) << 16)
            }
        }
    }

    /// The numbers of an array, which may be nested as the shape is, or flat.
    private static func floats(_ data: JSON?, count: Int) throws(APIError) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count)
        func add(_ value: JSON) throws(APIError) {
            switch value {
            case .numbers(let numbers): values += numbers.map { Float($0) }
            case .array(let elements):
                for element in elements {
                    guard case .number(let number) = element else {
                        try add(element)
                        continue
                    }
                    values.append(Float(number))
                }
            default: throw .invalid("'data' must be an array of numbers")
            }
        }
        if let data { try add(data) }
        guard values.count == count else {
            throw .invalid("'data' has \(values.count) numbers, but the shape needs \(count)")
        }
        return values
    }

    /// Binary BYTES: of each element four bytes of length, the lowest first, and its content.
    private static func elements(of bytes: ArraySlice<UInt8>) throws(APIError) -> [[UInt8]] {
        var rest = bytes
        var elements: [[UInt8]] = []
        while !rest.isEmpty {
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4, rest.count - 4 >= length else {
                throw .invalid("binary BYTES data end within an element")
            }
            elements.append(Array(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        return elements
    }

    private static func texts(_ data: JSON?, isBase64: Bool) throws(APIError) -> [[UInt8]] {
        var pictures: [[UInt8]] = []
        func add(_ value: JSON) throws(APIError) {
            if let text = value.string {
                guard isBase64 else { return pictures.append(Array(text.utf8)) }
                guard let bytes = Data(base64Encoded: text) else { throw .invalid("'data' is not base64") }
                pictures.append(Array(bytes))
            } else if case .array(let elements) = value {
                for element in elements { try add(element) }
            } else {
                throw .invalid("'data' of BYTES must be an array of strings")
            }
        }
        guard let data, data.string == nil else { throw .invalid("'data' must be an array") }
        try add(data)
        return pictures
    }
}
