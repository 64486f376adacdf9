/// What a pickle is made of, as far as weights need it. Sequences and dictionaries are places in the
/// `PickleMemory` they were made in: Python's are shared and may hold themselves.
enum PickleValue {
    case none
    case boolean(Bool)
    case integer(Int)
    /// An integer of more than 64 bits, little-endian.
    case longInteger([UInt8])
    case string(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    case storage(Int)
    case tensor(Int)
    /// A value that says nothing about weights: a float, bytes, a number type, a device.
    case opaque

    /// The value as a person would name it.
    var kind: String {
        switch self {
        case .none: "None"
        case .boolean: "a truth value"
        case .integer, .longInteger: "an integer"
        case .string: "a string"
        case .tuple: "a tuple"
        case .list: "a list"
        case .dictionary: "a dictionary"
        case .global: "a class or function"
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .opaque: "another value"
        }
    }
}

/// The Python names a pickle of weights may use: all of them, and what stands in for them here.
/// Nothing of Python is run: a call of one of these is an ordinary Swift function over `PickleValue`s.
enum PickleGlobal {
    case orderedDictionary
    case storage(ElementType)
    /// `_rebuild_tensor` (before PyTorch 0.4) and `_rebuild_tensor_v2`.
    case rebuildTensor
    case rebuildParameter
    case size
    case device
    case numberType

    /// - Returns: nil for every name that is not on the list.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"):
            self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", "Size"): self = .size
        case ("torch", "device"): self = .device
        case ("torch", _) where Self.numberTypes.contains(name): self = .numberType
        // Before PyTorch 0.4 the storages of a graphics processor had classes of their own.
        case ("torch", _), ("torch.cuda", _):
            guard let type = Self.storageTypes[name] else { return nil }
            self = .storage(type)
        default: return nil
        }
    }

    private static let storageTypes: [String: ElementType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
        "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    private static let numberTypes: Set<String> = [
        "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
    ]
}

/// A run of numbers in the file, as a pickle names it.
struct PickledStorage {
    var type: ElementType
    /// Under which name the container has the numbers.
    var key: String
    /// Numbers in the container under that name.
    var count: Int
    /// The numbers that this storage is, of those; the legacy container has storages that are parts of others.
    var window: Range<Int>
}

/// A tensor as a pickle describes it: a strided view of a storage. Nothing of it has been checked.
struct PickledTensor {
    /// A place in `PickleMemory.storages`.
    var storage: Int
    /// The first element, in numbers.
    var offset: Int
    var shape: [Int]
    /// In numbers.
    var strides: [Int]
}

/// The objects a pickle made. They refer to each other by place, so that no depth of nesting is one here.
struct PickleMemory {
    var sequences: [[PickleValue]] = []
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    var storages: [PickledStorage] = []
    var tensors: [PickledTensor] = []

    /// The elements of a tuple or list.
    func elements(_ value: PickleValue) -> [PickleValue]? {
        switch value {
        case .tuple(let place), .list(let place): sequences[place]
        default: nil
        }
    }

    /// The integers of a tuple or list that has nothing else.
    func integers(_ value: PickleValue) -> [Int]? {
        guard let elements = elements(value) else { return nil }
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element else { return nil }
            integers.append(integer)
        }
        return integers
    }
}
