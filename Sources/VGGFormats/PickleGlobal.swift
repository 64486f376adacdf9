/// What a Python name in a pickle stands for here. Nothing of Python is run: a call of a name that is known is an
/// ordinary Swift function over `PickleValue`s, and a call of any other makes a `PickledObject`.
enum PickleGlobal {
    /// `OrderedDict` and other kinds of dictionary that begin empty.
    case dictionary
    case storage(StorageType)
    /// `_rebuild_tensor` (before PyTorch 0.4) and `_rebuild_tensor_v2`.
    case rebuildTensor
    /// Calls another function, its first argument, for a kind of tensor.
    case rebuildFromType
    /// What makes something else of its first argument, which is as good here: a parameter of a tensor.
    case firstArgument
    case other(String)

    /// No name is longer, in bytes; the rest of one is not kept.
    private static let maximumLength = 256

    /// What a name stands for, and the whole of it.
    static func named(module: String, name: String) -> (full: String, global: PickleGlobal) {
        let full = String(decoding: "\(module).\(name)".utf8.prefix(maximumLength), as: UTF8.self)
        let other =
            name.hasSuffix("Storage") && full.utf8.count < maximumLength
            ? storage(StorageType(name)) : PickleGlobal.other(full)
        return (full, known[full] ?? other)
    }

    /// For an error.
    var name: String {
        switch self {
        case .other(let name): name
        case .storage(let type): "torch.\(type.name)"
        case .dictionary: "collections.OrderedDict"
        case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
        case .rebuildFromType, .firstArgument: "a function without a name"
        }
    }

    private static let known: [String: PickleGlobal] = [
        "collections.OrderedDict": .dictionary,
        "collections.defaultdict": .dictionary,
        "torch._utils._rebuild_tensor": .rebuildTensor,
        "torch._utils._rebuild_tensor_v2": .rebuildTensor,
        "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
        "torch._tensor._rebuild_from_type": .rebuildFromType,
        "torch.tensor._rebuild_from_type": .rebuildFromType,
        "torch._utils._rebuild_parameter": .firstArgument,
        "torch._utils._rebuild_parameter_with_state": .firstArgument,
        "torch._utils._rebuild_device_tensor_from_cpu_tensor": .firstArgument,
        "torch.nn.parameter.Parameter": .firstArgument,
        "torch.nn.parameter.Buffer": .firstArgument,
        // Before PyTorch 0.4 parameters were variables, made of a tensor.
        "torch.autograd.variable.Variable": .firstArgument,
        "torch.Size": .firstArgument,
        // Bytes in protocol 2, made of text.
        "_codecs.encode": .firstArgument,
    ]
}

/// What the numbers of a storage are, by the name of its class; where the class is does not matter.
struct StorageType: Hashable {
    /// Such as `FloatStorage`.
    var name: String
    /// Bytes a number; nil for a class that is not known.
    var size: Int?
    /// nil for numbers that no floats are made of.
    var type: ElementType?

    init(_ name: String) {
        self.name = name
        type = Self.types[name]
        size = type?.size ?? Self.otherSizes[name]
    }

    /// The bytes that `count` numbers take; nil if that is not known, or no file is so large.
    func bytes(_ count: Int) -> Int? {
        guard let size else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow ? nil : bytes
    }

    private static let types: [String: ElementType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
        "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    private static let otherSizes = [
        "UntypedStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16, "QInt8Storage": 1,
        "QUInt8Storage": 1, "QInt32Storage": 4, "QUInt4x2Storage": 1, "QUInt2x4Storage": 1,
    ]
}
