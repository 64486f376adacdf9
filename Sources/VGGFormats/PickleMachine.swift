/// Takes a pickle apart: Python's stack machine, protocols 1 to 5.
///
/// Nothing in a pickle is executed. A class or function that `PickleGlobal` does not know becomes a
/// `PickledObject`, which is data that nobody calls. A pickle makes no more values than it has bytes, no operation costs
/// more than the bytes it is written with and the values it takes from the stack, and nothing here follows how values
/// are nested.
///
/// Source: CPython's Lib/pickletools.py describes every operation.
struct PickleMachine {
    typealias Problem = PyTorchFileError.Problem

    /// Values one pickle may make or remember, and marks it may set.
    static let maximumValues = 1 << 24

    var memory = PickleMemory()
    var reader: ByteReader
    private var stack: [PickleValue] = []
    /// For each open mark, how high the stack was.
    private var marks: [Int] = []
    private var memo = PickleMemo()
    private var valueCount = 0
    /// Where each class and function is in `memory`.
    private var globals: [String: PickleValue] = [:]

    private init(_ reader: ByteReader) { self.reader = reader }

    /// Reads the pickle that starts where `reader` stands and leaves `reader` behind it.
    static func read(_ reader: inout ByteReader) throws(Problem) -> (value: PickleValue, memory: PickleMemory)
    {
        var machine = PickleMachine(reader)
        let value = try machine.run()
        reader = machine.reader
        return (value, machine.memory)
    }

    private mutating func run() throws(Problem) -> PickleValue {
        while true {
            let operation = try reader.integer(UInt8.self)
            if operation == UInt8(ascii: ".") { return try pop() }
            if let value = try readValue(operation) {
                try push(value)
                continue
            }
            if try changeStack(operation) { continue }
            if try makeContainer(operation) { continue }
            throw malformed(
                "operation 0x\(String(operation, radix: 16)), which weights are not written with")
        }
    }

    func malformed(_ reason: String) -> Problem { reader.malformed(reason) }

    /// Counts values that are about to be made.
    mutating func admit(_ count: Int) throws(Problem) {
        valueCount += count
        guard valueCount <= Self.maximumValues else {
            throw malformed("more than \(Self.maximumValues) values")
        }
    }
}

// MARK: - The stack

extension PickleMachine {
    private mutating func push(_ value: PickleValue) throws(Problem) {
        try admit(1)
        stack.append(value)
    }

    mutating func pop() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw malformed("a value is missing")
        }
        return value
    }

    private func top() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw malformed("a value is missing")
        }
        return value
    }

    /// Closes the last mark and takes the values after it.
    private mutating func popMark() throws(Problem) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("a mark is missing") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func popLast(_ count: Int) throws(Problem) -> [PickleValue] {
        guard stack.count - count >= marks.last ?? 0 else { throw malformed("a value is missing") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }
}

// MARK: - Operations (the names are those of pickletools)

extension PickleMachine {
    /// Operations about the stack itself, and those that remember its top value or push one that was remembered.
    /// - Returns: false if `operation` is none of them.
    private mutating func changeStack(_ operation: UInt8) throws(Problem) -> Bool {
        switch operation {
        case 0x80:  // PROTO
            guard (0...5).contains(try reader.integer(UInt8.self)) else {
                throw malformed("expected a pickle of protocol 1 to 5")
            }
        case 0x95: _ = try reader.take(8)  // FRAME: how the pickle is cut into pieces says nothing about it.
        case UInt8(ascii: "("):  // MARK
            try admit(1)
            marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popMark()
        case UInt8(ascii: "2"): try push(try top())  // DUP
        case UInt8(ascii: "p"): try remember(try lineInteger())  // PUT
        case UInt8(ascii: "q"): try remember(Int(try reader.integer(UInt8.self)))  // BINPUT
        case UInt8(ascii: "r"): try remember(Int(try reader.integer(UInt32.self)))  // LONG_BINPUT
        case 0x94: try remember(memo.count)  // MEMOIZE
        case UInt8(ascii: "g"): try push(try remembered(try lineInteger()))  // GET
        case UInt8(ascii: "h"): try push(try remembered(Int(try reader.integer(UInt8.self))))  // BINGET
        case UInt8(ascii: "j"): try push(try remembered(Int(try reader.integer(UInt32.self))))  // LONG_BINGET
        case 0x93:  // STACK_GLOBAL
            guard let name = memory.text(try pop()), let module = memory.text(try pop()) else {
                throw malformed("the name of a class or function is no string")
            }
            try push(global(module, name))
        default: return false
        }
        return true
    }

    private mutating func remember(_ key: Int) throws(Problem) {
        try admit(1)
        memo[key] = try top()
    }

    private func remembered(_ key: Int) throws(Problem) -> PickleValue {
        guard let value = memo[key] else { throw malformed("value \(key) was never remembered") }
        return value
    }

    /// Operations that make or fill containers and objects.
    private mutating func makeContainer(_ operation: UInt8) throws(Problem) -> Bool {
        switch operation {
        case UInt8(ascii: ")"): try push(memory.newTuple([]))
        case 0x85...0x87: try push(memory.newTuple(try popLast(Int(operation) - 0x84)))
        case UInt8(ascii: "t"), 0x91: try push(memory.newTuple(try popMark()))  // TUPLE, FROZENSET
        case UInt8(ascii: "]"), 0x8F: try push(memory.newList([]))  // EMPTY_LIST, EMPTY_SET
        case UInt8(ascii: "l"): try push(memory.newList(try popMark()))
        case UInt8(ascii: "}"): try push(memory.newDictionary())
        case UInt8(ascii: "d"):  // DICT
            let members = try popMark()
            try push(memory.newDictionary())
            try insert(members)
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"), 0x90: try append(try popMark())  // APPENDS, ADDITEMS
        case UInt8(ascii: "s"): try insert(try popLast(2))
        case UInt8(ascii: "u"): try insert(try popMark())
        case UInt8(ascii: "Q"): try push(try persistent(try pop()))  // BINPERSID
        case UInt8(ascii: "R"), 0x81:  // REDUCE, NEWOBJ: a call
            let arguments = try pop()
            try push(try call(try pop(), arguments))
        case 0x92:  // NEWOBJ_EX: the same with arguments that have names
            let named = try pop()
            let arguments = try pop()
            try push(try call(try pop(), arguments))
            try build(named)
        case UInt8(ascii: "i"):  // INST
            let module = try reader.line()
            let name = try reader.line()
            let arguments = memory.newTuple(try popMark())
            try push(try call(global(module, name), arguments))
        case UInt8(ascii: "o"):  // OBJ
            let values = try popMark()
            guard let function = values.first else { throw malformed("a value is missing") }
            try push(try call(function, memory.newTuple(values.dropFirst())))
        case UInt8(ascii: "b"): try build(try pop())
        default: return false
        }
        return true
    }

    private mutating func append(_ values: [PickleValue]) throws(Problem) {
        guard memory.append(values, to: try top()) else { throw malformed("a value is added to no list") }
    }

    /// - Parameter values: key, value, key, value…
    private mutating func insert(_ values: [PickleValue]) throws(Problem) {
        guard values.count % 2 == 0 else { throw malformed("a key without a value") }
        guard memory.insert(values, into: try top()) else {
            throw malformed("there is no dictionary to put a value into")
        }
    }

    /// The state of the object on top of the stack. That of anything else, such as a dictionary's hooks, says
    /// nothing about weights.
    private mutating func build(_ state: PickleValue) throws(Problem) {
        if case .object = try top() { _ = memory.append([state], to: try top()) }
    }

    /// Each class and function is kept once, however often it is named.
    mutating func global(_ module: String, _ name: String) -> PickleValue {
        let (full, global) = PickleGlobal.named(module: module, name: name)
        if let known = globals[full] { return known }
        let value = memory.newGlobal(global)
        globals[full] = value
        return value
    }
}
