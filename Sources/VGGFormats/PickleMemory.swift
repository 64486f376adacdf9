/// The objects a pickle made. They refer to each other by place, so that no depth of nesting is one here, and the
/// values of all containers lie in one array, so that a small one costs no memory of its own.
struct PickleMemory {
    /// Names are shorter, in bytes. Longer texts are not kept: a thousand references to one would cost a thousand
    /// times its length wherever names are joined or compared.
    static let maximumNameLength = 512
    /// The place of all texts that are not kept.
    private static let unnamed: UInt32 = 0

    private var values: [PickleValue] = []
    private(set) var sequences: [PickleRun] = []
    /// Key, value, key, value…
    private(set) var dictionaries: [PickleRun] = []
    private(set) var objects: [PickledObject] = []
    private(set) var storages: [PickledStorage] = []
    private(set) var tensors: [PickledTensor] = []
    private(set) var globals: [PickleGlobal] = [.dictionary]
    private var texts = [""]
    private var integers: [Int] = []
    private var longIntegers: [[UInt8]] = []

    /// How many values there are in containers, some of which may be left over from before these grew.
    var valueCount: Int { values.count }
}

/// Where the values of a container are.
struct PickleRun {
    fileprivate var start: UInt32 = 0
    fileprivate(set) var count: UInt32 = 0
    /// Values that there is place for.
    fileprivate var capacity: UInt32 = 0

    fileprivate var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// Keys and values of a dictionary, in its order.
struct PicklePairs: RandomAccessCollection {
    static let none = PicklePairs(values: [])

    fileprivate let values: ArraySlice<PickleValue>

    var startIndex: Int { 0 }
    var endIndex: Int { values.count / 2 }

    subscript(position: Int) -> (key: PickleValue, value: PickleValue) {
        let key = values.startIndex + 2 * position
        return (values[key], values[key + 1])
    }
}

// MARK: - What was made

extension PickleMemory {
    subscript(run: PickleRun) -> ArraySlice<PickleValue> { values[run.range] }

    func pairs(_ run: PickleRun) -> PicklePairs { PicklePairs(values: self[run]) }

    /// The elements of a tuple or list.
    func elements(_ value: PickleValue) -> ArraySlice<PickleValue>? {
        switch value {
        case .tuple(let place), .list(let place): self[sequences[Int(place)]]
        default: nil
        }
    }

    /// The members of a dictionary, or of an object that is a kind of it; nil if `value` is neither.
    func pairs(_ value: PickleValue) -> PicklePairs? {
        switch value {
        case .dictionary(let place): pairs(dictionaries[Int(place)])
        case .object(let place) where objects[Int(place)].items.count > 0: pairs(objects[Int(place)].items)
        default: nil
        }
    }

    func isDictionary(_ value: PickleValue) -> Bool {
        switch value {
        case .dictionary: true
        case .object(let place): objects[Int(place)].items.count > 0
        default: false
        }
    }

    func integer(_ value: PickleValue) -> Int? {
        switch value {
        case .integer(let number): Int(number)
        case .wideInteger(let place): integers[Int(place)]
        default: nil
        }
    }

    /// The integers of a tuple or list that has nothing else, and no more of them than `count`.
    func integers(_ value: PickleValue, atMost count: Int) -> [Int]? {
        guard let elements = elements(value), elements.count <= count else { return nil }
        let integers = elements.compactMap(integer)
        return integers.count == elements.count ? integers : nil
    }

    func shape(_ tensor: PickledTensor) -> [Int] { integers(tensor.shape, atMost: .max) ?? [] }

    func strides(_ tensor: PickledTensor) -> [Int] { integers(tensor.strides, atMost: .max) ?? [] }

    /// Two's complement, little-endian.
    func longInteger(_ value: PickleValue) -> [UInt8]? {
        if case .longInteger(let place) = value { longIntegers[Int(place)] } else { nil }
    }

    /// A text that is no longer than a name may be.
    func text(_ value: PickleValue) -> String? {
        guard case .string(let place) = value, place != Self.unnamed else { return nil }
        return texts[Int(place)]
    }

    /// What the value is called as a dictionary's key; nil if it is neither text nor a number. (Python 2 had text
    /// in bytes.)
    func name(_ value: PickleValue) -> String? {
        switch value {
        case .string(let place), .bytes(let place): place == Self.unnamed ? nil : texts[Int(place)]
        default: integer(value).map(String.init)
        }
    }

    /// The value under `key`, if `value` is a dictionary that has it; the last one, as in Python.
    func member(_ key: String, of value: PickleValue) -> PickleValue? {
        guard case .dictionary(let place) = value else { return nil }
        return pairs(dictionaries[Int(place)]).last { text($0.key) == key }?.value
    }

    /// The class or function that made the object.
    func maker(_ place: UInt32) -> String { globals[Int(objects[Int(place)].maker)].name }
}

// MARK: - Making

extension PickleMemory {
    mutating func newTuple(_ values: some Collection<PickleValue>) -> PickleValue {
        .tuple(Self.append(extended(PickleRun(), by: values), to: &sequences))
    }

    mutating func newList(_ values: some Collection<PickleValue>) -> PickleValue {
        .list(Self.append(extended(PickleRun(), by: values), to: &sequences))
    }

    mutating func newDictionary() -> PickleValue { .dictionary(Self.append(PickleRun(), to: &dictionaries)) }

    mutating func newObject(of maker: UInt32, _ arguments: PickleValue) -> PickleValue {
        let contents = extended(PickleRun(), by: CollectionOfOne(arguments))
        return .object(Self.append(PickledObject(maker: maker, contents: contents), to: &objects))
    }

    mutating func newStorage(_ storage: PickledStorage) -> PickleValue {
        .storage(Self.append(storage, to: &storages))
    }

    mutating func newTensor(_ tensor: PickledTensor) -> PickleValue {
        .tensor(Self.append(tensor, to: &tensors))
    }

    mutating func newGlobal(_ global: PickleGlobal) -> PickleValue {
        .global(Self.append(global, to: &globals))
    }

    mutating func newInteger(_ integer: Int) -> PickleValue {
        if let small = Int32(exactly: integer) { return .integer(small) }
        return .wideInteger(Self.append(integer, to: &integers))
    }

    mutating func newLongInteger(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
        .longInteger(Self.append(Array(bytes.prefix(64)), to: &longIntegers))
    }

    mutating func newText(_ text: String) -> PickleValue {
        .string(
            text.utf8.count > Self.maximumNameLength ? Self.unnamed : Self.append(text, to: &texts))
    }

    /// Python's text may have halves of characters, as names of files do, which become replacement characters.
    mutating func newText(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
        bytes.count > Self.maximumNameLength
            ? .string(Self.unnamed) : newText(String(decoding: bytes, as: UTF8.self))
    }

    /// Bytes are kept only where they are text.
    mutating func newBytes(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
        guard !bytes.isEmpty, bytes.count <= Self.maximumNameLength,
            let text = String(validating: bytes, as: UTF8.self)
        else { return .bytes(Self.unnamed) }
        return .bytes(Self.append(text, to: &texts))
    }

    /// Adds elements to a list or an object.
    /// - Returns: false if `value` is neither.
    mutating func append(_ added: some Collection<PickleValue>, to value: PickleValue) -> Bool {
        switch value {
        case .list(let place): sequences[Int(place)] = extended(sequences[Int(place)], by: added)
        case .object(let place):
            objects[Int(place)].contents = extended(objects[Int(place)].contents, by: added)
        default: return false
        }
        return true
    }

    /// Adds members (key, value, key, value…) to a dictionary or an object.
    /// - Returns: false if `value` is neither.
    mutating func insert(_ added: some Collection<PickleValue>, into value: PickleValue) -> Bool {
        switch value {
        case .dictionary(let place):
            dictionaries[Int(place)] = extended(dictionaries[Int(place)], by: added)
        case .object(let place): objects[Int(place)].items = extended(objects[Int(place)].items, by: added)
        default: return false
        }
        return true
    }

    /// What grows gets twice the place, so that all growing together costs no more than what is there in the end.
    private mutating func extended(_ run: PickleRun, by added: some Collection<PickleValue>) -> PickleRun {
        var run = run
        let count = run.count + UInt32(added.count)
        if count > run.capacity {
            let old = run.range
            run.start = UInt32(values.count)
            run.capacity = run.count == 0 ? count : max(count, 2 * run.capacity)
            for index in old { values.append(values[index]) }
            values.append(contentsOf: added)
            values.append(contentsOf: repeatElement(.none, count: Int(run.capacity - count)))
        } else {
            for (index, value) in zip(run.range.upperBound..., added) { values[index] = value }
        }
        run.count = count
        return run
    }

    private static func append<Element>(_ element: Element, to array: inout [Element]) -> UInt32 {
        array.append(element)
        return UInt32(array.count - 1)
    }
}
