/// What the allowed names of `PickleGlobal` mean when a pickle calls them.
extension PickleMachine {
    func callMalformed(_ function: String) -> Problem { malformed("\(function) gets other arguments") }

    mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws(Problem) -> PickleValue {
        guard case .global(let function) = function, case .tuple = arguments,
            let arguments = memory.elements(arguments)
        else { throw malformed("a call of what cannot be called") }
        switch function {
        case .orderedDictionary: return try orderedDictionary(arguments)
        case .rebuildTensor: return try tensor(arguments)
        case .rebuildParameter:
            guard let first = arguments.first, case .tensor = first else {
                throw callMalformed("_rebuild_parameter")
            }
            return first
        case .size:
            guard arguments.count == 1, case .tuple = arguments[0] else { throw callMalformed("Size") }
            return arguments[0]
        case .device: return .opaque
        case .storage, .numberType: throw malformed("a call of what cannot be called")
        }
    }

    /// Python 3 makes an empty dictionary and fills it; Python 2 gives a list of [key, value].
    private mutating func orderedDictionary(_ arguments: [PickleValue]) throws(Problem) -> PickleValue {
        guard let list = arguments.first else { return newDictionary([]) }
        guard arguments.count == 1, let items = memory.elements(list) else {
            throw callMalformed("OrderedDict")
        }
        // The list may be one that was remembered, and be copied again and again.
        try admit(items.count)
        var pairs: [(key: PickleValue, value: PickleValue)] = []
        for item in items {
            guard let pair = memory.elements(item), pair.count == 2 else {
                throw callMalformed("OrderedDict")
            }
            pairs.append((pair[0], pair[1]))
        }
        return newDictionary(pairs)
    }

    /// `(storage, offset, shape, strides, …)`; what follows is about training.
    private mutating func tensor(_ arguments: [PickleValue]) throws(Problem) -> PickleValue {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1], let shape = memory.integers(arguments[2]),
            let strides = memory.integers(arguments[3]), shape.count == strides.count, shape.count <= 64
        else { throw callMalformed("_rebuild_tensor_v2") }
        try admit(shape.count)
        return add(PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides))
    }

    /// A persistent identifier: `("storage", type, key, device, count)` and, in the legacy container, None or
    /// `(key, offset, count)`, which part of the storage is meant.
    mutating func storage(_ identifier: PickleValue) throws(Problem) -> PickleValue {
        guard case .tuple = identifier, let fields = memory.elements(identifier),
            (5...6).contains(fields.count), case .string("storage") = fields[0],
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
        return add(PickledStorage(type: type, key: key, count: count, window: window))
    }
}
