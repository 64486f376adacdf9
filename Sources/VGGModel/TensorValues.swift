/// The numbers of a tensor: in an array, or, until they are changed, where a weight file is mapped into memory.
/// `Array(values)` copies them into an array.
public struct TensorValues: RandomAccessCollection, MutableCollection, Sendable {
    private enum Storage {
        case array([Float])
        case borrowed(BorrowedFloats)
    }

    private var storage: Storage

    /// The numbers of an array.
    public init(_ array: [Float]) { storage = .array(array) }

    /// Numbers that are not copied.
    /// - Parameters:
    ///   - floats: must not change as long as `owner` lives.
    ///   - owner: what keeps them.
    package init(borrowing floats: UnsafeBufferPointer<Float>, from owner: any AnyObject & Sendable) {
        storage = .borrowed(BorrowedFloats(floats: floats, owner: owner))
    }

    public var startIndex: Int { 0 }

    public var endIndex: Int {
        switch storage {
        case .array(let array): array.count
        case .borrowed(let borrowed): borrowed.floats.count
        }
    }

    public subscript(position: Int) -> Float {
        get {
            switch storage {
            case .array(let array): return array[position]
            case .borrowed(let borrowed):
                precondition(borrowed.floats.indices.contains(position), "index \(position) is out of range")
                return withExtendedLifetime(borrowed) { borrowed.floats[position] }
            }
        }
        set {
            var array = taken()
            array[position] = newValue
            storage = .array(array)
        }
    }

    /// The numbers as an array of which there is no other copy here, so that it can be changed in place.
    private mutating func taken() -> [Float] {
        defer { storage = .array([]) }
        return array
    }

    /// The numbers as an array, without a copy where they lie in one.
    package var array: [Float] {
        switch storage {
        case .array(let array): array
        case .borrowed(let borrowed): withExtendedLifetime(borrowed) { Array(borrowed.floats) }
        }
    }

    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) rethrows -> Result? {
        try withUnsafeBufferPointer(body)
    }

    /// Calls `body` with the numbers, which lie in a row and are there until it returns.
    public func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        switch storage {
        case .array(let array): try array.withUnsafeBufferPointer(body)
        case .borrowed(let borrowed):
            try withExtendedLifetime(borrowed) { try body(borrowed.floats) }
        }
    }

    /// Calls `body` with the numbers' bytes, which are there until it returns.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) }
    }
}

extension TensorValues: Hashable {
    /// Whether the numbers are equal, wherever they are.
    public static func == (a: Self, b: Self) -> Bool {
        a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in a.elementsEqual(b) } }
    }

    public func hash(into hasher: inout Hasher) {
        withUnsafeBufferPointer { values in
            hasher.combine(values.count)
            for value in values { hasher.combine(value) }
        }
    }
}

extension TensorValues: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Float...) { self.init(elements) }
}

/// Floats in memory that somebody else keeps.
///
/// `@unchecked`: the memory is only read, and stays as it is while `owner`, which is `Sendable`, lives.
private struct BorrowedFloats: @unchecked Sendable {
    let floats: UnsafeBufferPointer<Float>
    let owner: any AnyObject & Sendable
}
