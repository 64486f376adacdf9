/// Takes a pickle apart: the part of Python's stack machine (protocols 2 to 5) that weights are written with.
///
/// Nothing in a pickle is executed. A name outside `PickleGlobal` ends the reading with an error that says
/// which one it was, and so does an operation that state dictionaries do not need. How many values a pickle
/// may make, and how deep it may nest them, is bounded.
///
/// Source: CPython's Lib/pickletools.py describes every operation.
struct PickleMachine {
    typealias Problem = PyTorchFileError.Problem

    /// Values one pickle may make; the checkpoint of a VGG with its optimiser makes some thousands.
    static let maximumValues = 1 << 20
    /// Marks that may be open at once, which is how deep values nest while they are written.
    static let maximumDepth = 256

    private(set) var memory: PickleMemory
    private var reader: ByteReader
    private var stack: [PickleValue] = []
    /// For each open mark, how high the stack was.
    private var marks: [Int] = []
    private var memo: [UInt32: PickleValue] = [:]
    private var valueCount = 0

    private init(_ reader: ByteReader) {
        memory = PickleMemory()
        self.reader = reader
    }

    /// Reads the pickle that starts where `reader` stands and leaves `reader` behind it.
    static func read(_ reader: inout ByteReader) throws(Problem) -> (value: PickleValue, memory: PickleMemory)
    {
        var machine = PickleMachine(reader)
        let value = try machine.run()
        reader = machine.reader
        return (value, machine.memory)
    }

    private mutating func run() throws(Problem) -> PickleValue {
        guard try reader.integer(UInt8.self) == 0x80, (2...5).contains(try reader.integer(UInt8.self)) else {
            throw reader.malformed("expected a pickle of protocol 2 to 5")
        }
        while true {
            let operation = try reader.integer(UInt8.self)
            if operation == UInt8(ascii: ".") { return try pop() }
            if try makeValue(operation) { continue }
            if try useMemo(operation) { continue }
            if try makeContainer(operation) { continue }
            throw reader.malformed(
                "operation 0x\(String(operation, radix: 16)), which weights are not written with")
        }
    }

    func malformed(_ reason: String) -> Problem { reader.malformed(reason) }
}

// MARK: - The stack

extension PickleMachine {
    mutating func push(_ value: PickleValue) throws(Problem) {
        try admit(1)
        stack.append(value)
    }

    /// Counts values that are about to be made.
    mutating func admit(_ count: Int) throws(Problem) {
        valueCount += count
        guard valueCount <= Self.maximumValues else {
            throw reader.malformed("more than \(Self.maximumValues) values")
        }
    }

    mutating func pop() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw reader.malformed("a value is missing")
        }
        return value
    }

    private func top() throws(Problem) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw reader.malformed("a value is missing")
        }
        return value
    }

    /// Closes the last mark and takes the values after it.
    private mutating func popMark() throws(Problem) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw reader.malformed("a mark is missing") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func popLast(_ count: Int) throws(Problem) -> [PickleValue] {
        guard stack.count - count >= marks.last ?? 0 else { throw reader.malformed("a value is missing") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }
}

// MARK: - Operations

extension PickleMachine {
    /// Operations that push a value of their own. (The names are those of pickletools.)
    /// - Returns: false if `operation` is none of them.
    private mutating func makeValue(_ operation: UInt8) throws(Problem) -> Bool {
        switch operation {
        case 0x95: _ = try reader.take(8)  // FRAME: how the pickle is cut into pieces says nothing about it.
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.boolean(true))
        case 0x89: try push(.boolean(false))
        case UInt8(ascii: "K"): try push(.integer(Int(try reader.integer(UInt8.self))))  // BININT1
        case UInt8(ascii: "M"): try push(.integer(Int(try reader.integer(UInt16.self))))  // BININT2
        case UInt8(ascii: "J"): try push(.integer(Int(try reader.integer(Int32.self))))  // BININT
        case 0x8A: try push(Self.integer(try reader.take(Int(try reader.integer(UInt8.self)))))  // LONG1
        case UInt8(ascii: "G"):  // BINFLOAT
            _ = try reader.take(8)
            try push(.opaque)
        // BINUNICODE and SHORT_BINUNICODE; BINSTRING and SHORT_BINSTRING, the strings of Python 2.
        case UInt8(ascii: "X"), UInt8(ascii: "T"):
            try push(.string(try reader.string(Int(try reader.integer(UInt32.self)))))
        case 0x8C, UInt8(ascii: "U"):
            try push(.string(try reader.string(Int(try reader.integer(UInt8.self)))))
        case UInt8(ascii: "B"):  // BINBYTES
            _ = try reader.take(Int(try reader.integer(UInt32.self)))
            try push(.opaque)
        case UInt8(ascii: "C"):  // SHORT_BINBYTES
            _ = try reader.take(Int(try reader.integer(UInt8.self)))
            try push(.opaque)
        case UInt8(ascii: "c"):  // GLOBAL
            let module = try reader.line()
            try pushGlobal(module: module, name: try reader.line())
        case 0x93:  // STACK_GLOBAL
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                throw reader.malformed("the name of a class or function is no string")
            }
            try pushGlobal(module: module, name: name)
        default: return false
        }
        return true
    }

    /// Two's complement, little-endian, of any length.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
        guard bytes.count <= 8 else { return .longInteger(Array(bytes)) }
        var value = bytes.last.map { $0 >= 0x80 } == true ? -1 : 0
        for byte in bytes.reversed() { value = value << 8 | Int(byte) }
        return .integer(value)
    }

    private mutating func pushGlobal(module: String, name: String) throws(Problem) {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw .forbidden(global: "\(module).\(name)")
        }
        try push(.global(global))
    }

    /// Operations that remember the value on top of the stack, or push one that was remembered.
    private mutating func useMemo(_ operation: UInt8) throws(Problem) -> Bool {
        switch operation {
        case UInt8(ascii: "q"): memo[UInt32(try reader.integer(UInt8.self))] = try top()  // BINPUT
        case UInt8(ascii: "r"): memo[try reader.integer(UInt32.self)] = try top()  // LONG_BINPUT
        case 0x94: memo[UInt32(memo.count)] = try top()  // MEMOIZE
        case UInt8(ascii: "h"): try push(try remembered(UInt32(try reader.integer(UInt8.self))))  // BINGET
        case UInt8(ascii: "j"): try push(try remembered(try reader.integer(UInt32.self)))  // LONG_BINGET
        default: return false
        }
        guard memo.count <= Self.maximumValues else {
            throw reader.malformed("more than \(Self.maximumValues) values to remember")
        }
        return true
    }

    private func remembered(_ key: UInt32) throws(Problem) -> PickleValue {
        guard let value = memo[key] else { throw reader.malformed("value \(key) was never remembered") }
        return value
    }

    /// Operations that make or fill containers, or call what `PickleGlobal` allows.
    private mutating func makeContainer(_ operation: UInt8) throws(Problem) -> Bool {
        switch operation {
        case UInt8(ascii: "("):
            guard marks.count < Self.maximumDepth else {
                throw reader.malformed("values nested more than \(Self.maximumDepth) deep")
            }
            marks.append(stack.count)
        case UInt8(ascii: ")"): try push(newTuple([]))
        case 0x85...0x87: try push(newTuple(try popLast(Int(operation) - 0x84)))
        case UInt8(ascii: "t"): try push(newTuple(try popMark()))
        case UInt8(ascii: "]"):
            memory.sequences.append([])
            try push(.list(memory.sequences.count - 1))
        case UInt8(ascii: "}"): try push(newDictionary([]))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popMark())
        case UInt8(ascii: "s"): try insert(try popLast(2))
        case UInt8(ascii: "u"): try insert(try popMark())
        case UInt8(ascii: "Q"): try push(try storage(try pop()))  // BINPERSID
        case UInt8(ascii: "R"):  // REDUCE: a call
            let arguments = try pop()
            try push(try call(try pop(), arguments))
        case UInt8(ascii: "b"):  // BUILD: attributes of an object, such as a state dictionary's versions
            _ = try pop()
            guard case .dictionary = try top() else { throw reader.malformed("attributes of no dictionary") }
        default: return false
        }
        return true
    }

    private mutating func newTuple(_ values: [PickleValue]) -> PickleValue {
        memory.sequences.append(values)
        return .tuple(memory.sequences.count - 1)
    }

    mutating func newDictionary(_ pairs: [(key: PickleValue, value: PickleValue)]) -> PickleValue {
        memory.dictionaries.append(pairs)
        return .dictionary(memory.dictionaries.count - 1)
    }

    private mutating func append(_ values: [PickleValue]) throws(Problem) {
        guard case .list(let place) = try top() else { throw reader.malformed("a value is added to no list") }
        memory.sequences[place] += values
    }

    /// - Parameter values: key, value, key, value…
    private mutating func insert(_ values: [PickleValue]) throws(Problem) {
        guard case .dictionary(let place) = try top(), values.count % 2 == 0 else {
            throw reader.malformed("a key without a value, or no dictionary to put it into")
        }
        for index in stride(from: 0, to: values.count, by: 2) {
            memory.dictionaries[place].append((values[index], values[index + 1]))
        }
    }

    mutating func add(_ storage: PickledStorage) -> PickleValue {
        memory.storages.append(storage)
        return .storage(memory.storages.count - 1)
    }

    mutating func add(_ tensor: PickledTensor) -> PickleValue {
        memory.tensors.append(tensor)
        return .tensor(memory.tensors.count - 1)
    }
}
