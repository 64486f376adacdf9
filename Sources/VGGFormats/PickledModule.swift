/// A module of PyTorch that was pickled as a whole: its tensors and the modules in it lie in its state as data.
///
/// Source: `torch.nn.Module.state_dict`, whose names and order these are.
struct PickledModule {
    /// The members of a module's state that hold tensors and modules.
    static let members: Set<String> = ["_parameters", "_buffers", childrenKey]
    static let childrenKey = "_modules"

    private(set) var parameters = PickleValue.none
    private(set) var buffers = PickleValue.none
    /// The modules in it, by name.
    private(set) var children = PickleValue.none

    /// - Parameter state: the members of what may be a module's state.
    /// - Returns: nil if it is none.
    init?(state: PicklePairs, _ memory: PickleMemory) {
        var missing = Self.members
        for (key, value) in state {
            guard let name = memory.text(key), missing.contains(name), memory.isDictionary(value) else {
                continue
            }
            missing.remove(name)
            switch name {
            case "_parameters": parameters = value
            case "_buffers": buffers = value
            default: children = value
            }
            if missing.isEmpty { return }
        }
        return nil
    }
}

/// Finds the modules of a pickle and names their tensors.
///
/// A module may be in several others, and even in itself, and modules may share their members; what all names
/// together may cost is therefore bounded by the number of values that the pickle made.
struct ModuleReader {
    typealias Tensors = [(name: String, value: PickleValue)]

    private let memory: PickleMemory
    /// What was found out about dictionaries: the module whose state one is, or nil.
    private var known: [UInt32: PickledModule?] = [:]
    /// Bytes that may still be spent on tensors, modules and their names. A tensor alone makes twenty values.
    private var budget: Int

    /// Of a tensor or module, besides its name.
    private static let cost = 64

    init(_ memory: PickleMemory) {
        self.memory = memory
        budget = 1 << 20 + Self.cost * memory.valueCount
    }

    /// The module whose state a dictionary is; nil if it is of none.
    private mutating func module(state place: UInt32) -> PickledModule? {
        if let known = known[place] { return known }
        let module = PickledModule(state: memory.pairs(memory.dictionaries[Int(place)]), memory)
        known[place] = .some(module)
        return module
    }

    /// The module that `value` is; nil if it is none.
    private mutating func module(_ value: PickleValue) -> PickledModule? {
        guard case .object(let place) = value else { return nil }
        for content in memory[memory.objects[Int(place)].contents].prefix(4) {
            // The state, or where a function makes the module, as torch.fx has it, one of its arguments.
            for state in [content] + (memory.elements(content)?.prefix(4) ?? []) {
                if case .dictionary(let place) = state, let module = module(state: place) { return module }
            }
        }
        return nil
    }

    /// All tensors in it, by their names in a state dictionary; none if the budget does not suffice.
    mutating func tensors(of module: PickledModule) -> Tensors {
        var tensors: Tensors = []
        var modules = [(prefix: "", module: module)]
        while let (prefix, module) = modules.popLast() {
            for members in [module.parameters, module.buffers] {
                for (key, value) in memory.pairs(members) ?? .none {
                    guard pay(prefix, key) else { return [] }
                    if let name = name(prefix, key) { tensors.append((name, value)) }
                }
            }
            for (key, value) in (memory.pairs(module.children) ?? .none).reversed() {
                guard pay(prefix, key) else { return [] }
                if let name = name(prefix, key), let child = self.module(value) {
                    modules.append(("\(name).", child))
                }
            }
        }
        return tensors
    }

    private mutating func pay(_ prefix: String, _ key: PickleValue) -> Bool {
        budget -= Self.cost + prefix.utf8.count
        return budget > 0
    }

    private func name(_ prefix: String, _ key: PickleValue) -> String? {
        guard let name = memory.name(key),
            prefix.utf8.count + name.utf8.count < PickleMemory.maximumNameLength
        else { return nil }
        return prefix + name
    }
}
