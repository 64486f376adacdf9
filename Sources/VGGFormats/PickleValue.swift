/// What a pickle is made of, as far as weights need it. Sequences, dictionaries and objects are places in the
/// `PickleMemory` they were made in: Python's are shared and may hold themselves.
enum PickleValue {
    case none
    case boolean(Bool)
    case integer(Int)
    /// An integer of more than 64 bits, little-endian.
    case longInteger([UInt8])
    case string(String)
    /// Bytes of the file, which are there while it is read.
    case bytes(UnsafeRawBufferPointer)
    /// Frozen sets are tuples here, and sets lists.
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    case object(Int)
    case storage(Int)
    case tensor(Int)
    /// A value that says nothing about weights, such as a float.
    case opaque

    /// The value as a person would name it.
    var kind: String {
        switch self {
        case .none: "None"
        case .boolean: "a truth value"
        case .integer, .longInteger: "an integer"
        case .string: "a string"
        case .bytes: "bytes"
        case .tuple: "a tuple"
        case .list: "a list"
        case .dictionary: "a dictionary"
        case .global: "a class or function"
        case .object: "an object"
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .opaque: "another value"
        }
    }

    /// What the value is called as a dictionary's key; nil if it is neither text nor a number. (Python 2 had text
    /// in bytes.)
    var name: String? {
        switch self {
        case .string(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .integer(let number): String(number)
        default: nil
        }
    }
}

/// A run of numbers in the file, as a pickle names it.
struct PickledStorage {
    var type: StorageType
    /// Under which name the container has the numbers.
    var key: String
    /// Numbers in the container under that name.
    var count: Int
    /// The numbers that this storage is, of those; the legacy container has storages that are parts of others.
    var window: Range<Int>
}

/// A tensor as a pickle describes it: a strided view of a storage. Nothing of it has been checked.
struct PickledTensor {
    /// A place in `PickleMemory.storages`.
    var storage: Int
    /// The first element, in numbers.
    var offset: Int
    var shape: [Int]
    /// In numbers.
    var strides: [Int]
}

/// An object of a class that means nothing here, or what a function that is not known here would have made. It is
/// data: no class is looked up, and nothing is called.
struct PickledObject {
    /// The class or function, such as `argparse.Namespace`.
    var maker: String
    /// What was said about it, one after the other: arguments, a state, and the elements of a kind of list.
    var contents: [PickleValue]
    /// The members of a kind of dictionary.
    var items: [(key: PickleValue, value: PickleValue)] = []
}

/// The objects a pickle made. They refer to each other by place, so that no depth of nesting is one here.
struct PickleMemory {
    var sequences: [[PickleValue]] = []
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    var objects: [PickledObject] = []
    var storages: [PickledStorage] = []
    var tensors: [PickledTensor] = []

    /// The elements of a tuple or list.
    func elements(_ value: PickleValue) -> [PickleValue]? {
        switch value {
        case .tuple(let place), .list(let place): sequences[place]
        default: nil
        }
    }

    /// The integers of a tuple or list that has nothing else.
    func integers(_ value: PickleValue) -> [Int]? {
        guard let elements = elements(value) else { return nil }
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element else { return nil }
            integers.append(integer)
        }
        return integers
    }

    /// The value under `key`, if `value` is a dictionary that has it; the last one, as in Python.
    func member(_ key: String, of value: PickleValue) -> PickleValue? {
        guard case .dictionary(let place) = value else { return nil }
        return dictionaries[place].last { if case .string(key) = $0.key { true } else { false } }?.value
    }
}
