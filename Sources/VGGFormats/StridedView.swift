/// A tensor's elements in a storage: checked, so that every index is inside.
struct StridedView: Sequence {
    /// How many elements the tensor has.
    let count: Int
    /// The index of the first element.
    let offset: Int
    private let shape: [Int]
    private let strides: [Int]

    /// - Parameters:
    ///   - shape: and `strides`, of as many numbers.
    ///   - offset: the first element, in numbers.
    init(
        shape: [Int], strides: [Int], offset: Int, in storage: PickledStorage, name: String
    ) throws(PyTorchFileError.Problem) {
        var count = 1
        var last = offset
        var isSound = offset >= 0
        for (dimension, stride) in zip(shape, strides) where isSound {
            let (product, productOverflow) = count.multipliedReportingOverflow(by: dimension)
            let (reach, reachOverflow) = stride.multipliedReportingOverflow(by: Swift.max(dimension, 1) - 1)
            let (sum, sumOverflow) = last.addingReportingOverflow(reach)
            isSound = dimension >= 0 && stride >= 0 && !productOverflow && !reachOverflow && !sumOverflow
            (count, last) = (product, sum)
        }
        guard isSound, shape.contains(0) || last < storage.window.count else {
            throw .tensor(
                name: name,
                reason:
                    "shape \(shape) with strides \(strides) from element \(offset) on is not inside its storage "
                    + "of \(storage.window.count)")
        }
        self.count = count
        // An empty tensor may start anywhere.
        self.offset = count == 0 ? 0 : offset
        // A dimension of one element has no say, and neighbours without a gap are one dimension.
        var merged: (shape: [Int], strides: [Int]) = ([], [])
        for (dimension, stride) in zip(shape, strides) where dimension != 1 && count > 0 {
            if let outer = merged.strides.last, outer == stride * dimension {
                merged.shape[merged.shape.count - 1] *= dimension
                merged.strides[merged.strides.count - 1] = stride
            } else {
                merged.shape.append(dimension)
                merged.strides.append(stride)
            }
        }
        (self.shape, self.strides) = merged
    }

    /// Whether the elements lie in a row, as in a tensor that was never transposed or cut.
    var isContiguous: Bool { shape.isEmpty || (shape.count == 1 && strides[0] == 1) }

    /// The index of every element in the storage, the last dimension fastest.
    func makeIterator() -> Iterator { Iterator(self) }

    struct Iterator: IteratorProtocol {
        private let view: StridedView
        private var position: [Int]
        private var index: Int
        private var remaining: Int

        fileprivate init(_ view: StridedView) {
            self.view = view
            position = Array(repeating: 0, count: view.shape.count)
            index = view.offset
            remaining = view.count
        }

        mutating func next() -> Int? {
            guard remaining > 0 else { return nil }
            remaining -= 1
            defer { advance() }
            return index
        }

        private mutating func advance() {
            for axis in position.indices.reversed() {
                position[axis] += 1
                if position[axis] < view.shape[axis] {
                    index += view.strides[axis]
                    return
                }
                index -= (view.shape[axis] - 1) * view.strides[axis]
                position[axis] = 0
            }
        }
    }
}
