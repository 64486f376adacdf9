/// Everything that a pickle holds, walked once: the state dictionaries in it, at any depth and under any key.
///
/// Each container is looked into once, however often it is referred to and even if it holds itself; only the names
/// of modules' tensors, which are made by joining, need a bound of their own. So the work is in proportion to the
/// file.
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
        let value: PickleValue
        let parent: Int?
        /// nil where Python has none either: the state of an object is the object.
        let key: String?
        /// What of the key that is looked for is still to come below it; nil if this is not on the way.
        let rest: Substring?
        /// Whether it is a module of a module, whose tensors are among the other's.
        let isPart: Bool
    }

    /// The least deep ones first, and in the file's order.
    private(set) var found: [Found] = []
    /// The container under the key that is looked for, or the last one on the way to it, and what of the key is then
    /// left over, which the names of tensors may begin with.
    private(set) var closest: (value: PickleValue, rest: Substring)

    private let memory: PickleMemory
    private var nodes: [Node] = []
    private var seen: (sequences: [Bool], dictionaries: [Bool], objects: [Bool])
    /// Bytes of names that may still be made.
    private var budget = 1 << 24

    /// - Parameter key: a key to look for, with dots between those on the way.
    init(_ value: PickleValue, _ memory: PickleMemory, for key: String = "") {
        self.memory = memory
        closest = (value, key[...])
        seen = (
            Array(repeating: false, count: memory.sequences.count),
            Array(repeating: false, count: memory.dictionaries.count),
            Array(repeating: false, count: memory.objects.count)
        )
        if isNew(value) != nil {
            nodes = [Node(value: value, parent: nil, key: nil, rest: key[...], isPart: false)]
        }
        var index = 0
        while index < nodes.count {
            visit(index)
            index += 1
        }
    }

    /// The keys on the way to it, joined with dots.
    func key(of found: Found) -> String {
        var keys: [String] = []
        var node: Int? = found.node
        // Nobody could write down a longer one.
        while let index = node, keys.count < 100 {
            if let key = nodes[index].key { keys.append(key) }
            node = nodes[index].parent
        }
        return keys.reversed().joined(separator: ".")
    }

    /// What is found beside it: members of the same dictionary, in its order, with their keys.
    func siblings(of found: Found) -> [(key: String, found: Found)] {
        guard let parent = nodes[found.node].parent, case .dictionary = nodes[parent].value else { return [] }
        return self.found.compactMap { other in
            guard nodes[other.node].parent == parent, let key = nodes[other.node].key else { return nil }
            return (key, other)
        }
    }

    /// Adds a container if it was not seen before; anything else is left alone.
    private mutating func add(_ value: PickleValue, parent: Int, key: String?, isPart: Bool = false) {
        guard let isNew = isNew(value) else { return }
        var rest = nodes[parent].rest
        if let key, let longer = rest {
            rest =
                longer == key ? "" : longer.hasPrefix(key + ".") ? longer.dropFirst(key.count + 1) : nil
            if let rest, rest.count < closest.rest.count { closest = (value, rest) }
        }
        guard isNew else { return }
        nodes.append(Node(value: value, parent: parent, key: key, rest: rest, isPart: isPart))
    }

    /// Whether the container was not seen before; nil for what is none.
    private mutating func isNew(_ value: PickleValue) -> Bool? {
        func mark(_ seen: inout Bool) -> Bool {
            defer { seen = true }
            return !seen
        }
        return switch value {
        case .tuple(let place), .list(let place): mark(&seen.sequences[place])
        case .dictionary(let place): mark(&seen.dictionaries[place])
        case .object(let place): mark(&seen.objects[place])
        default: nil
        }
    }

    private mutating func visit(_ index: Int) {
        switch nodes[index].value {
        case .tuple(let place), .list(let place):
            let elements = memory.sequences[place]
            note(StateDictionary(memory.namedElements(elements), memory), index)
            for (position, value) in elements.enumerated() { add(value, parent: index, key: "\(position)") }
        case .dictionary(let place): visit(memory.dictionaries[place], index)
        case .object(let place):
            visit(memory.objects[place].items, index)
            for value in memory.objects[place].contents {
                add(value, parent: index, key: nil, isPart: nodes[index].isPart)
            }
        default: break
        }
    }

    private mutating func visit(_ pairs: [(key: PickleValue, value: PickleValue)], _ index: Int) {
        guard let module = PickledModule(state: pairs, memory) else {
            note(StateDictionary(pairs, memory), index)
            for (key, value) in pairs { add(value, parent: index, key: key.name ?? key.kind) }
            return
        }
        if !nodes[index].isPart { note(StateDictionary(module.tensors(memory, &budget), memory), index) }
        for (key, value) in module.children {
            add(value, parent: index, key: key.name ?? key.kind, isPart: true)
        }
        for (key, value) in pairs where !PickledModule.members.contains(key.name ?? "") {
            add(value, parent: index, key: key.name ?? key.kind)
        }
    }

    private mutating func note(_ dictionary: StateDictionary, _ index: Int) {
        if !dictionary.entries.isEmpty { found.append(Found(dictionary: dictionary, node: index)) }
    }
}

extension PickleMemory {
    /// The elements of a sequence that are tuples or lists of a name and a value: an ordered dictionary of Python 2, or
    /// a list of named parameters.
    fileprivate func namedElements(
        _ elements: [PickleValue]
    ) -> [(key: PickleValue, value: PickleValue)] {
        elements.compactMap { element in
            guard let pair = self.elements(element), pair.count == 2, case .string = pair[0] else {
                return nil
            }
            return (pair[0], pair[1])
        }
    }
}
