/// A module of PyTorch that was pickled as a whole: its tensors and the modules in it lie in its state as data.
///
/// Source: `torch.nn.Module.state_dict`, whose names and order these are.
struct PickledModule {
    typealias Pairs = [(key: PickleValue, value: PickleValue)]

    /// The members of a module's state that hold tensors and modules.
    static let members: Set<String> = ["_parameters", "_buffers", "_modules"]

    private var parameters: Pairs = []
    private var buffers: Pairs = []
    /// The modules in it, by name.
    private(set) var children: Pairs = []

    /// - Parameter state: the members of what may be a module's state.
    /// - Returns: nil if it is none.
    init?(state: Pairs, _ memory: PickleMemory) {
        var missing = Self.members
        for (key, value) in state {
            guard case .string(let name) = key, missing.contains(name), let pairs = memory.pairs(value) else {
                continue
            }
            missing.remove(name)
            switch name {
            case "_parameters": parameters = pairs
            case "_buffers": buffers = pairs
            default: children = pairs
            }
        }
        guard missing.isEmpty else { return nil }
    }

    /// The module that `value` is; nil if it is none.
    private init?(_ value: PickleValue, _ memory: PickleMemory, _ budget: inout Int) {
        guard case .object(let place) = value else { return nil }
        for content in memory.objects[place].contents.prefix(4) {
            // The state, or where a function makes the module, as torch.fx has it, one of its arguments.
            for state in [content] + (memory.elements(content)?.prefix(4) ?? []) {
                guard case .dictionary(let place) = state else { continue }
                budget -= memory.dictionaries[place].count
                guard budget > 0 else { return nil }
                if let module = PickledModule(state: memory.dictionaries[place], memory) {
                    self = module
                    return
                }
            }
        }
        return nil
    }

    /// All tensors in it, by their names in a state dictionary.
    /// - Parameter budget: what may be spent on names and steps, because a module may be in several others, or in
    ///   itself; where it does not suffice, nothing comes back.
    func tensors(_ memory: PickleMemory, _ budget: inout Int) -> Pairs {
        var tensors: Pairs = []
        var modules = [(prefix: "", module: self)]
        while let (prefix, module) = modules.popLast() {
            for (key, value) in module.parameters + module.buffers {
                guard let name = key.name else { continue }
                budget -= prefix.utf8.count + name.utf8.count + 1
                guard budget > 0 else { return [] }
                tensors.append((.string(prefix + name), value))
            }
            for (key, value) in module.children.reversed() {
                guard let name = key.name else { continue }
                budget -= prefix.utf8.count + name.utf8.count + 1
                guard budget > 0 else { return [] }
                guard let child = PickledModule(value, memory, &budget) else { continue }
                modules.append(("\(prefix)\(name).", child))
            }
        }
        return tensors
    }
}

extension PickleMemory {
    /// The members of a dictionary, or of an object that is a kind of it; nil if `value` is neither.
    func pairs(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
        switch value {
        case .dictionary(let place): dictionaries[place]
        case .object(let place) where !objects[place].items.isEmpty: objects[place].items
        default: nil
        }
    }
}
