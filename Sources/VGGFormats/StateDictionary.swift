import VGGFiles
import VGGModel

/// Tensors of a pickle by name: what PyTorch calls a `state_dict`.
struct StateDictionary {
    typealias Problem = PyTorchFileError.Problem

    enum Value {
        /// A place among the pickle's tensors.
        case tensor(UInt32)
        /// What would have to be made by a Python function: a place among the pickle's objects.
        case foreign(UInt32)
    }

    private(set) var entries: [(name: String, value: Value)] = []
    /// Weights of convolutions, and those that only a Python function could make.
    private(set) var convolutions = 0
    /// Weights of linear layers.
    private(set) var linear = 0
    /// Whether all of it can be read.
    private(set) var isReadable = true

    /// The tensors among the members of a dictionary; numbers, texts and whatever else is beside them are passed
    /// over.
    init(_ members: [(name: String, value: PickleValue)], _ memory: PickleMemory) {
        for (name, value) in members {
            switch value {
            case .tensor(let place):
                entries.append((name, .tensor(place)))
                guard name.hasSuffix("weight") else { continue }
                let shape = memory.shape(memory.tensors[Int(place)])
                if shape.count == 4, shape[2] == shape[3] { convolutions += 1 }
                if shape.count == 2 { linear += 1 }
            case .object(let place):
                guard Self.isLayers(name) else { continue }
                entries.append((name, .foreign(place)))
                isReadable = false
                if name.hasSuffix("weight") { convolutions += 1 }
            default: continue
            }
        }
    }

    /// Whether the name is one that tensors of layers have. What cannot be read under another name is no tensor that a
    /// network could need.
    private static func isLayers(_ name: String) -> Bool {
        ["weight", "bias", "running_mean", "running_var"].contains { name == $0 || name.hasSuffix(".\($0)") }
    }

    /// The members of several dictionaries under joined names.
    init(joining parts: [(key: String, dictionary: StateDictionary)]) {
        for (key, part) in parts {
            entries += part.entries.map { ("\(key).\($0.name)", $0.value) }
            convolutions += part.convolutions
            linear += part.linear
            isReadable = isReadable && part.isReadable
        }
    }

    /// Those whose names begin with `key` and a dot, without it.
    func under(_ key: String) -> StateDictionary {
        var result = self
        result.entries = entries.filter { $0.name.hasPrefix(key + ".") }
            .map { (String($0.name.dropFirst(key.count + 1)), $0.value) }
        return result
    }

    /// Whether it has linear layers, and no convolutions before them.
    var isClassifier: Bool { convolutions == 0 && linear > 0 }

    /// Whether the tensors are the same as `other`'s, in the same order, whatever they are called.
    func isSame(as other: StateDictionary, _ memory: PickleMemory) -> Bool {
        entries.count == other.entries.count
            && zip(entries, other.entries).allSatisfy { pair in
                guard case .tensor(let place) = pair.0.value, case .tensor(let other) = pair.1.value else {
                    return false
                }
                let (a, b) = (memory.tensors[Int(place)], memory.tensors[Int(other)])
                return memory.storages[Int(a.storage)].key == memory.storages[Int(b.storage)].key
                    && a.offset == b.offset && memory.shape(a) == memory.shape(b)
            }
    }

    /// Reads the numbers of all tensors, in the dictionary's order.
    /// - Parameters:
    ///   - memory: what the pickle made.
    ///   - file: the whole file.
    ///   - owner: what keeps it, if anything does.
    ///   - storages: where each storage's numbers are in it.
    func tensors(
        _ memory: PickleMemory, _ file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?,
        storages: [String: Range<Int>]
    ) throws(Problem) -> NamedTensors {
        var result = NamedTensors()
        // Tensors may share storages and even repeat their elements, but not beyond what the file justifies.
        var remaining = file.count
        var unread: Problem?
        for (name, value) in entries {
            let tensor: PickledTensor
            switch value {
            case .tensor(let place): tensor = memory.tensors[Int(place)]
            case .foreign(let place): throw .foreignTensor(name: name, maker: memory.maker(place))
            }
            guard result[name] == nil else { throw .duplicateKey(name) }
            let storage = memory.storages[Int(tensor.storage)]
            guard let type = storage.type.type else {
                let reason = "its numbers are in a torch.\(storage.type.name); \(Self.types)"
                unread = unread ?? .tensor(name: name, reason: reason)
                guard Self.isLayers(name), let unread else { continue }
                throw unread
            }
            guard let bytes = storages[storage.key] else {
                throw .tensor(name: name, reason: "its storage \(storage.key.quotedName) is not in the file")
            }
            let shape = memory.shape(tensor)
            let view = try StridedView(
                shape: shape, strides: memory.strides(tensor), offset: tensor.offset, in: storage, name: name)
            guard view.count <= remaining else {
                throw .tensor(
                    name: name, reason: "with it, the tensors have more numbers than the file has bytes")
            }
            remaining -= view.count
            let start = bytes.lowerBound + storage.window.lowerBound * type.size
            let window = UnsafeRawBufferPointer(
                rebasing: file[start..<start + storage.window.count * type.size])
            guard let values = type.floats(window, view, in: owner) else {
                throw .tensor(name: name, reason: "has type \(type); \(Self.types)")
            }
            guard !type.isQuantized(name, shape) else {
                throw .tensor(
                    name: name, reason: "has type \(type); of quantized weights take those from before")
            }
            result[name] = Tensor(shape: shape, values: values)
        }
        if result.isEmpty, let unread { throw unread }
        return result
    }

    private static let types = "save it as float32, float16, bfloat16 or float64"
}
