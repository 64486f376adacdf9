import VGGModel

/// The tensors of a pickle by name: what PyTorch calls a `state_dict`.
struct StateDictionary {
    typealias Problem = PyTorchFileError.Problem

    private let memory: PickleMemory
    private var tensors: [(name: String, tensor: PickledTensor)] = []

    /// Under which keys training scripts save a state dictionary beside other things; the first that is there.
    private static let wrappers = [
        "state_dict", "model_state_dict", "model_state", "model", "network", "net", "weights", "params",
    ]

    /// Finds the state dictionary in what was pickled.
    init(_ pickled: PickleValue, _ memory: PickleMemory) throws(Problem) {
        self.memory = memory
        var value = pickled
        // More than one wrapper inside the other is rare, more than three are none.
        for _ in 0...3 {
            guard case .dictionary(let place) = value else {
                throw .noStateDictionary("the file has \(value.kind)")
            }
            let pairs = memory.dictionaries[place]
            tensors = try Self.tensors(in: pairs, memory)
            if !tensors.isEmpty { return }
            guard let inner = Self.wrappers.lazy.compactMap({ memory.member($0, of: value) }).first else {
                let keys = pairs.prefix(5).map {
                    if case .string(let key) = $0.key { key.quotedName } else { $0.key.kind }
                }
                throw .noStateDictionary(
                    "the dictionary has no tensors, only \(keys.joined(separator: ", "))")
            }
            value = inner
        }
        throw .noStateDictionary("dictionaries inside each other")
    }

    /// The tensors among the values; numbers and texts beside them are left alone.
    private static func tensors(
        in pairs: [(key: PickleValue, value: PickleValue)], _ memory: PickleMemory
    ) throws(Problem) -> [(name: String, tensor: PickledTensor)] {
        var names: Set<String> = []
        var tensors: [(name: String, tensor: PickledTensor)] = []
        for pair in pairs {
            guard case .tensor(let place) = pair.value else { continue }
            guard case .string(let name) = pair.key else {
                throw .noStateDictionary("a tensor's name is \(pair.key.kind)")
            }
            guard names.insert(name).inserted else { throw .duplicateKey(name) }
            tensors.append((name, memory.tensors[place]))
        }
        return tensors
    }

    /// Reads the numbers of all tensors, in the dictionary's order.
    /// - Parameters:
    ///   - file: the whole file.
    ///   - owner: what keeps it, if anything does.
    ///   - storages: where each storage's numbers are in it.
    func tensors(
        _ file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?, storages: [String: Range<Int>]
    ) throws(Problem) -> NamedTensors {
        var result = NamedTensors()
        // Tensors may share storages and even repeat their elements, but not beyond what the file justifies.
        var remaining = file.count
        for (name, tensor) in tensors {
            let storage = memory.storages[tensor.storage]
            guard let bytes = storages[storage.key] else {
                throw .tensor(name: name, reason: "its storage \(storage.key.quotedName) is not in the file")
            }
            let view = try StridedView(tensor, in: storage, name: name)
            guard view.count <= remaining else {
                throw .tensor(
                    name: name, reason: "with it, the tensors have more numbers than the file has bytes")
            }
            remaining -= view.count
            let size = storage.type.size
            let start = bytes.lowerBound + storage.window.lowerBound * size
            let window = UnsafeRawBufferPointer(
                rebasing: file[start..<start + storage.window.count * size])
            guard let values = storage.type.floats(window, view, in: owner) else {
                throw .tensor(
                    name: name,
                    reason: "has type \(storage.type); save it as float32, float16, bfloat16 or float64")
            }
            result[name] = Tensor(shape: tensor.shape, values: values)
        }
        return result
    }
}

extension PickleMemory {
    /// The value under `key`, if `value` is a dictionary that has it; the last one, as in Python.
    func member(_ key: String, of value: PickleValue) -> PickleValue? {
        guard case .dictionary(let place) = value else { return nil }
        return dictionaries[place].last { if case .string(key) = $0.key { true } else { false } }?.value
    }
}
