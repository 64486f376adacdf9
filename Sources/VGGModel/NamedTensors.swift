/// The tensors of a weight file by name, in the file's order: that of the dictionary in PyTorch's files, that of the
/// numbers in safetensors.
public struct NamedTensors: Hashable, Sendable {
    /// In the file's order; none is twice.
    public private(set) var names: [String] = []
    /// Without the order.
    public private(set) var dictionary: [String: Tensor] = [:]

    /// None.
    public init() {}

    /// - Parameter tensors: of equal names the last one counts, in the place of the first.
    public init(_ tensors: some Sequence<(name: String, tensor: Tensor)>) {
        for (name, tensor) in tensors { self[name] = tensor }
    }

    /// Tensors that have no order get that of their names.
    public init(sorting tensors: [String: Tensor]) {
        names = tensors.keys.sorted()
        dictionary = tensors
    }

    /// A new name is the last one; nil removes the tensor.
    public subscript(name: String) -> Tensor? {
        get { dictionary[name] }
        set {
            let old = dictionary[name]
            dictionary[name] = newValue
            if old == nil, newValue != nil { names.append(name) }
            if old != nil, newValue == nil { names.removeAll { $0 == name } }
        }
    }
}

extension NamedTensors: Sequence {
    public var underestimatedCount: Int { count }
    /// Tensors.
    public var count: Int { names.count }
    /// Whether there is no tensor.
    public var isEmpty: Bool { names.isEmpty }

    public func makeIterator() -> some IteratorProtocol<(name: String, tensor: Tensor)> {
        names.lazy.compactMap { name in dictionary[name].map { (name: name, tensor: $0) } }.makeIterator()
    }
}

extension NamedTensors: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Tensor)...) {
        self.init(elements.map { (name: $0, tensor: $1) })
    }
}
