/// Everything that a pickle holds, walked once: the state dictionaries in it, at any depth and under any key.
///
/// Each container is looked into once, however often it is referred to and even if it holds itself, so that the work is
/// in proportion to the file.
struct PickleSearch {
    /// A state dictionary.
    struct Found {
        let dictionary: StateDictionary
        /// The container that it is.
        fileprivate let node: Int

        func isSame(as other: Found) -> Bool { node == other.node }
    }

    /// A container, and how it was come to.
    private struct Node {
        enum Role {
            case any
            /// A module of a module, or what makes it one; its tensors are among the other's.
            case part
            /// The dictionary of a module's modules.
            case parts
        }

        let value: PickleValue
        /// nil where Python has none either: the state of an object is the object.
        let key: PickleValue?
        /// -1 for the first.
        let parent: Int32
        let role: Role
    }

    /// The least deep ones first, and in the file's order.
    private(set) var found: [Found] = []

    private let memory: PickleMemory
    private var modules: ModuleReader
    private var nodes: [Node] = []
    private var seen: SeenContainers

    init(_ value: PickleValue, _ memory: PickleMemory) {
        self.memory = memory
        modules = ModuleReader(memory)
        seen = SeenContainers(memory)
        nodes.reserveCapacity(memory.sequences.count + memory.dictionaries.count + memory.objects.count)
        add(value, parent: -1, key: nil)
        var index = 0
        while index < nodes.count {
            visit(index)
            index += 1
        }
    }

    /// The keys on the way to it, joined with dots. Of a way that nobody could write down only the end comes back.
    func key(of found: Found) -> String {
        var keys: [String] = []
        var (node, steps, length) = (found.node, 0, 0)
        while node >= 0, steps < 256, length < PickleMemory.maximumNameLength {
            if let key = key(nodes[node]) {
                keys.append(key)
                length += key.utf8.count + 1
            }
            node = Int(nodes[node].parent)
            steps += 1
        }
        return keys.reversed().joined(separator: ".")
    }

    private func key(_ node: Node) -> String? { node.key.map { memory.name($0) ?? $0.kind } }

    /// What is found beside it: members of the same dictionary, in its order, with their keys.
    func siblings(of found: Found) -> [(key: String, found: Found)] {
        let parent = nodes[found.node].parent
        guard parent >= 0, case .dictionary = nodes[Int(parent)].value else { return [] }
        return self.found.compactMap { other in
            guard nodes[other.node].parent == parent, let key = key(nodes[other.node]) else { return nil }
            return (key, other)
        }
    }

    /// Adds a container if it was not seen before; anything else is left alone.
    private mutating func add(_ value: PickleValue, parent: Int, key: PickleValue?, role: Node.Role = .any) {
        guard seen.insert(value) else { return }
        nodes.append(Node(value: value, key: key, parent: Int32(parent), role: role))
    }

    private mutating func visit(_ index: Int) {
        let role = nodes[index].role
        switch nodes[index].value {
        case .tuple(let place), .list(let place):
            let elements = memory[memory.sequences[Int(place)]]
            note(StateDictionary(memory.namedElements(elements), memory), index)
            for (position, value) in elements.enumerated() {
                add(value, parent: index, key: .integer(Int32(truncatingIfNeeded: position)))
            }
        case .dictionary(let place):
            let pairs = memory.pairs(memory.dictionaries[Int(place)])
            visit(pairs, PickledModule(state: pairs, memory), index)
        case .object(let place):
            let object = memory.objects[Int(place)]
            let items = memory.pairs(object.items)
            visit(items, PickledModule(state: items, memory), index)
            guard role != .parts else { return }
            for value in memory[object.contents] { add(value, parent: index, key: nil, role: role) }
        default: break
        }
    }

    private mutating func visit(_ pairs: PicklePairs, _ module: PickledModule?, _ index: Int) {
        let role = nodes[index].role
        guard role != .parts else {
            for (key, value) in pairs { add(value, parent: index, key: key, role: .part) }
            return
        }
        guard let module else {
            note(StateDictionary(memory.named(pairs), memory), index)
            for (key, value) in pairs { add(value, parent: index, key: key) }
            return
        }
        if role != .part { note(StateDictionary(modules.tensors(of: module), memory), index) }
        add(module.children, parent: index, key: nil, role: .parts)
        for (key, value) in pairs
        where value.isContainer && !PickledModule.members.contains(memory.text(key) ?? "") {
            add(value, parent: index, key: key)
        }
    }

    private mutating func note(_ dictionary: StateDictionary, _ index: Int) {
        if !dictionary.entries.isEmpty { found.append(Found(dictionary: dictionary, node: index)) }
    }
}

/// The containers of a pickle that were seen.
private struct SeenContainers {
    private var sequences: [Bool]
    private var dictionaries: [Bool]
    private var objects: [Bool]

    init(_ memory: PickleMemory) {
        sequences = Array(repeating: false, count: memory.sequences.count)
        dictionaries = Array(repeating: false, count: memory.dictionaries.count)
        objects = Array(repeating: false, count: memory.objects.count)
    }

    /// - Returns: whether it is a container that was not seen before.
    mutating func insert(_ value: PickleValue) -> Bool {
        func insert(_ place: UInt32, _ seen: inout [Bool]) -> Bool {
            defer { seen[Int(place)] = true }
            return !seen[Int(place)]
        }
        return switch value {
        case .tuple(let place), .list(let place): insert(place, &sequences)
        case .dictionary(let place): insert(place, &dictionaries)
        case .object(let place): insert(place, &objects)
        default: false
        }
    }
}

extension PickleMemory {
    /// Tensors and objects with names; nothing else can be a part of a state dictionary.
    fileprivate func named(_ pairs: some Sequence<(key: PickleValue, value: PickleValue)>)
        -> ModuleReader.Tensors
    {
        pairs.compactMap { key, value in
            switch value {
            case .tensor, .object: name(key).map { ($0, value) }
            default: nil
            }
        }
    }

    /// The elements of a sequence that are tuples or lists of a name and a value: an ordered dictionary of Python 2, or
    /// a list of named parameters.
    fileprivate func namedElements(_ values: ArraySlice<PickleValue>) -> ModuleReader.Tensors {
        named(
            values.lazy.compactMap { element in
                guard let pair = elements(element), pair.count == 2, case .string = pair[pair.startIndex]
                else {
                    return nil
                }
                return (pair[pair.startIndex], pair[pair.startIndex + 1])
            })
    }

    /// The container under a key with dots between those on the way, or the last one on the way to it, and what of the
    /// key is then left over, which the names of tensors may begin with.
    func closest(to key: String, in value: PickleValue) -> (value: PickleValue, rest: Substring) {
        var closest = (value: value, rest: key[...])
        // What of the key was left over where each container was come to: not more than the key has dots.
        var seen: [Substring.Index: SeenContainers] = [:]
        var steps: [(value: PickleValue, rest: Substring)] = []
        func step(_ value: PickleValue, _ rest: Substring) {
            guard seen[rest.startIndex, default: SeenContainers(self)].insert(value) else { return }
            if rest.utf8.count < closest.rest.utf8.count { closest = (value, rest) }
            if !rest.isEmpty { steps.append((value, rest)) }
        }
        step(value, key[...])
        var index = 0
        while index < steps.count {
            let (value, rest) = steps[index]
            index += 1
            for (key, child) in children(of: value, on: rest) {
                guard let key else {
                    step(child, rest)
                    continue
                }
                if rest == key {
                    step(child, rest[rest.endIndex...])
                } else if rest.hasPrefix(key + ".") {
                    step(child, rest.dropFirst(key.count + 1))
                }
            }
        }
        return closest
    }

    /// The containers in `value` that may be on the way, with their keys.
    private func children(of value: PickleValue, on rest: Substring) -> [(key: String?, value: PickleValue)] {
        switch value {
        case .tuple, .list:
            let key = rest.prefix { $0 != "." }
            guard let elements = elements(value), let position = Int(key), "\(position)" == key,
                elements.count > position, position >= 0
            else { return [] }
            return [("\(position)", elements[elements.startIndex + position])]
        case .dictionary(let place): return members(pairs(dictionaries[Int(place)]), on: rest)
        case .object(let place):
            let object = objects[Int(place)]
            return members(pairs(object.items), on: rest) + self[object.contents].map { (nil, $0) }
        default: return []
        }
    }

    private func members(_ pairs: PicklePairs, on rest: Substring) -> [(key: String?, value: PickleValue)] {
        pairs.compactMap { key, value in
            guard value.isContainer else { return nil }
            let name = name(key) ?? key.kind
            // The modules of a module have no key of their own.
            if name == PickledModule.childrenKey { return (nil, value) }
            return rest.hasPrefix(name) ? (name, value) : nil
        }
    }
}
