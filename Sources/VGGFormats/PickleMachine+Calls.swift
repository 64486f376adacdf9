/// What the names of `PickleGlobal` mean when a pickle calls them.
extension PickleMachine {
    mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws(Problem) -> PickleValue {
        let values = memory.elements(arguments) ?? []
        switch function {
        case .global(.dictionary) where !values.contains(where: isContainer): return newDictionary()
        case .global(.rebuildTensor):
            // A storage that something else makes is not PyTorch's.
            if case .object? = values.first { return object(function, arguments) }
            return try tensor(values)
        case .global(.rebuildFromType):
            // The function, its kind of tensor, and the function's arguments.
            guard values.count >= 3 else { throw malformed("_rebuild_from_type gets other arguments") }
            if case .global(.rebuildTensor) = values[0] {
                return try tensor(memory.elements(values[2]) ?? [])
            }
            return object(values[0], values[2])
        case .global(.firstArgument): return values.first ?? .opaque
        case .global, .object: return object(function, arguments)
        default: throw malformed("a call of what cannot be called")
        }
    }

    private func isContainer(_ value: PickleValue) -> Bool {
        switch value {
        case .tuple, .list, .dictionary, .object: true
        default: false
        }
    }

    /// What a function or class that is not known here would have made.
    private mutating func object(_ function: PickleValue, _ arguments: PickleValue) -> PickleValue {
        memory.objects.append(PickledObject(maker: maker(function), contents: [arguments]))
        return .object(memory.objects.count - 1)
    }

    private func maker(_ function: PickleValue) -> String {
        switch function {
        case .global(.other(let name)): name
        case .global(.storage(let type)): "torch.\(type.name)"
        case .global(.dictionary): "collections.OrderedDict"
        case .global(.rebuildTensor): "torch._utils._rebuild_tensor_v2"
        case .object(let place): memory.objects[place].maker
        default: "a function without a name"
        }
    }

    /// `(storage, offset, shape, strides, …)`; what follows is about training.
    private mutating func tensor(_ arguments: [PickleValue]) throws(Problem) -> PickleValue {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1], let shape = memory.integers(arguments[2]),
            let strides = memory.integers(arguments[3]), shape.count == strides.count, shape.count <= 64
        else { throw malformed("_rebuild_tensor_v2 gets other arguments") }
        try admit(shape.count)
        memory.tensors.append(
            PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides))
        return .tensor(memory.tensors.count - 1)
    }

    /// What a persistent identifier stands for: `("storage", type, key, device, count)` and, in the legacy container,
    /// None or `(key, offset, count)`, which part of the storage is meant; or there, of a whole module,
    /// `("module", class, file, source)`.
    mutating func persistent(_ identifier: PickleValue) throws(Problem) -> PickleValue {
        guard case .tuple = identifier, let fields = memory.elements(identifier) else {
            throw malformed("a storage is not described as PyTorch does it")
        }
        if fields.count == 4, case .string("module") = fields[0] { return fields[1] }
        guard (5...6).contains(fields.count), case .string("storage") = fields[0],
            case .global(.storage(let type)) = fields[1], case .string(let key) = fields[2],
            case .integer(let count) = fields[4], count >= 0
        else { throw malformed("a storage is not described as PyTorch does it") }
        var window = 0..<count
        if fields.count == 6, let part = memory.elements(fields[5]) {
            guard part.count == 3, case .integer(let offset) = part[1], case .integer(let length) = part[2],
                offset >= 0, length >= 0, offset <= count, length <= count - offset
            else { throw malformed("a part of a storage is not inside it") }
            window = offset..<offset + length
        }
        memory.storages.append(PickledStorage(type: type, key: key, count: count, window: window))
        return .storage(memory.storages.count - 1)
    }
}
