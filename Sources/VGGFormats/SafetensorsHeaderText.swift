/// The JSON text of a safetensors header, taken apart.
///
/// A parser of its own, because Foundation's keep one of two equal keys in silence, which the format forbids.
/// It accepts this grammar only, whose depth is fixed, so no input makes it recurse:
///
///     { "__metadata__": {name: string, …}, name: {"dtype": string, "shape": [n, …], "data_offsets": [n, n]}, … }
struct SafetensorsHeaderText {
    struct Tensor {
        var name: String
        var type: String
        var shape: [Int]
        /// In bytes from the end of the header.
        var begin: Int
        var end: Int
    }

    static let metadataKey = "__metadata__"

    private(set) var metadata: [String: String] = [:]
    private(set) var tensors: [Tensor] = []
    private var scanner: JSONScanner

    /// - Throws: `malformedHeader` or `duplicateKey`.
    init(parsing text: [UInt8]) throws(SafetensorsError.Problem) {
        scanner = JSONScanner(text)
        guard text.first == UInt8(ascii: "{") else { throw scanner.problem("expected '{'") }
        try parseMembers { (parser, name) throws(SafetensorsError.Problem) in
            if name == Self.metadataKey {
                try parser.parseMetadata()
            } else {
                try parser.parseTensor(named: name)
            }
        }
        try scanner.expectEnd()
    }

    private mutating func parseMetadata() throws(SafetensorsError.Problem) {
        try parseMembers { (parser, key) throws(SafetensorsError.Problem) in
            parser.metadata[key] = try parser.scanner.string()
        }
    }

    private mutating func parseTensor(named name: String) throws(SafetensorsError.Problem) {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try parseMembers { (parser, key) throws(SafetensorsError.Problem) in
            switch key {
            case "dtype": type = try parser.scanner.string()
            case "shape": shape = try parser.scanner.integers()
            case "data_offsets": offsets = try parser.scanner.integers()
            default: throw parser.scanner.problem("expected dtype, shape or data_offsets before")
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw .inconsistentTensor(name: name, reason: "needs dtype, shape and two data_offsets")
        }
        tensors.append(Tensor(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1]))
    }

    /// Parses an object; `parseValue` is called after each key to parse the key's value.
    private mutating func parseMembers(
        _ parseValue: (inout Self, String) throws(SafetensorsError.Problem) -> Void
    ) throws(SafetensorsError.Problem) {
        var keys: Set<String> = []
        try scanner.expect("{")
        if scanner.skip("}") { return }
        repeat {
            let key = try scanner.string()
            guard keys.insert(key).inserted else { throw .duplicateKey(key) }
            try scanner.expect(":")
            try parseValue(&self, key)
        } while scanner.skip(",")
        try scanner.expect("}")
    }
}
