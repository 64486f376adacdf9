/// What a pickle is made of, as far as weights need it: eight bytes, because a pickle makes one for every byte or two
/// of its own. All but the smallest are places in the `PickleMemory` they were made in; Python's sequences,
/// dictionaries and objects are shared and may hold themselves.
enum PickleValue {
    case none
    case boolean(Bool)
    case integer(Int32)
    /// An integer of more than 32 bits.
    case wideInteger(UInt32)
    /// An integer of more than 64 bits.
    case longInteger(UInt32)
    case string(UInt32)
    case bytes(UInt32)
    /// Frozen sets are tuples here, and sets lists.
    case tuple(UInt32)
    case list(UInt32)
    case dictionary(UInt32)
    case global(UInt32)
    case object(UInt32)
    case storage(UInt32)
    case tensor(UInt32)
    /// A value that says nothing about weights, such as a float.
    case opaque

    /// The value as a person would name it.
    var kind: String {
        switch self {
        case .none: "None"
        case .boolean: "a truth value"
        case .integer, .wideInteger, .longInteger: "an integer"
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

    /// Whether other values are in it.
    var isContainer: Bool {
        switch self {
        case .tuple, .list, .dictionary, .object: true
        default: false
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
    /// The first element, in numbers.
    var offset: Int
    /// A place in `PickleMemory.storages`.
    var storage: UInt32
    /// A tuple of at most 64 integers.
    var shape: PickleValue
    /// As many, in numbers.
    var strides: PickleValue
}

/// An object of a class that means nothing here, or what a function that is not known here would have made. It is
/// data: no class is looked up, and nothing is called.
struct PickledObject {
    /// A class or function, such as `argparse.Namespace`: a place in `PickleMemory.globals`.
    var maker: UInt32
    /// What was said about it, one after the other: arguments, a state, and the elements of a kind of list.
    var contents = PickleRun()
    /// The members of a kind of dictionary: key, value, key, value…
    var items = PickleRun()
}
