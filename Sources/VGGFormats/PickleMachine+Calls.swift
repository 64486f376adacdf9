/// What the names of `PickleGlobal` mean when a pickle calls them.
extension PickleMachine {
    mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws(Problem) -> PickleValue {
        let place: UInt32
        switch function {
        case .global(let global): place = global
        case .object(let object):
            return memory.newObject(of: memory.objects[Int(object)].maker, arguments)
        default: throw malformed("a call of what cannot be called")
        }
        let values = first(8, of: arguments)
        switch memory.globals[Int(place)] {
        case .dictionary where !values.contains(where: \.isContainer): return memory.newDictionary()
        case .rebuildTensor:
            // A storage that something else makes is not PyTorch's.
            if case .object? = values.first { return memory.newObject(of: place, arguments) }
            return try tensor(values)
        case .rebuildFromType:
            // The function, its kind of tensor, and the function's arguments.
            guard values.count >= 3 else { throw malformed("_rebuild_from_type gets other arguments") }
            return try rebuilt(by: values[0], of: values[2])
        case .firstArgument: return values.first ?? .opaque
        default: return memory.newObject(of: place, arguments)
        }
    }

    /// The first elements of a tuple or list. They are copies: a part of the memory's array that is held while values
    /// are added to it would make a copy of all of it.
    private func first(_ count: Int, of value: PickleValue) -> [PickleValue] {
        Array(memory.elements(value)?.prefix(count) ?? [])
    }

    private mutating func rebuilt(
        by function: PickleValue, of arguments: PickleValue
    ) throws(Problem) -> PickleValue {
        switch function {
        case .global(let place):
            if case .rebuildTensor = memory.globals[Int(place)] { return try tensor(first(8, of: arguments)) }
            return memory.newObject(of: place, arguments)
        case .object(let place):
            return memory.newObject(of: memory.objects[Int(place)].maker, arguments)
        default: throw malformed("_rebuild_from_type gets other arguments")
        }
    }

    /// `(storage, offset, shape, strides, …)`; what follows is about training.
    private mutating func tensor(_ arguments: [PickleValue]) throws(Problem) -> PickleValue {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            let offset = memory.integer(arguments[1]), let shape = try extents(arguments[2]),
            let strides = try extents(arguments[3]), shape.count == strides.count
        else { throw malformed("_rebuild_tensor_v2 gets other arguments") }
        return memory.newTensor(
            PickledTensor(offset: offset, storage: storage, shape: shape.tuple, strides: strides.tuple))
    }

    /// A tuple of integers, which many tensors may share, or one made of a list, which may still change.
    private mutating func extents(_ value: PickleValue) throws(Problem) -> (tuple: PickleValue, count: Int)? {
        guard let count = memory.integers(value, atMost: 64)?.count else { return nil }
        guard case .list = value else { return (value, count) }
        try admit(count + 1)
        return (memory.newTuple(first(count, of: value)), count)
    }

    /// What a persistent identifier stands for: `("storage", type, key, device, count)` and, in the legacy container,
    /// None or `(key, offset, count)`, which part of the storage is meant; or there, of a whole module,
    /// `("module", class, file, source)`.
    mutating func persistent(_ identifier: PickleValue) throws(Problem) -> PickleValue {
        let fields = first(7, of: identifier)
        if fields.count == 4, memory.text(fields[0]) == "module" { return fields[1] }
        guard case .tuple = identifier, (5...6).contains(fields.count), memory.text(fields[0]) == "storage",
            case .global(let place) = fields[1], case .storage(let type) = memory.globals[Int(place)],
            let key = memory.text(fields[2]), let count = memory.integer(fields[4]), count >= 0
        else { throw malformed("a storage is not described as PyTorch does it") }
        var window = 0..<count
        if fields.count == 6, let part = memory.elements(fields[5]) {
            guard part.count == 3, let offset = memory.integer(part[part.startIndex + 1]),
                let length = memory.integer(part[part.startIndex + 2]),
                offset >= 0, length >= 0, offset <= count, length <= count - offset
            else { throw malformed("a part of a storage is not inside it") }
            window = offset..<offset + length
        }
        return memory.newStorage(PickledStorage(type: type, key: key, count: count, window: window))
    }
}
