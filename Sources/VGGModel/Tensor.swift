/// A dense row-major array of 32-bit floats: what weight files hold and networks are loaded from.
///
/// Weights keep PyTorch's order: a convolution's is `[out, in, height, width]`, a linear layer's `[out, in]`.
public struct Tensor: Hashable, Sendable {
    /// The outermost dimension first; none for a single number.
    public var shape: [Int]
    /// As many as the dimensions' product, the last dimension's in a row.
    public var values: TensorValues

    /// - Precondition: `values.count` is the product of `shape`.
    public init(shape: [Int], values: TensorValues) {
        precondition(
            shape.reduce(1, *) == values.count, "\(values.count) values do not fill the shape \(shape)")
        self.shape = shape
        self.values = values
    }

    /// - Precondition: `values.count` is the product of `shape`.
    public init(shape: [Int], values: [Float]) {
        self.init(shape: shape, values: TensorValues(values))
    }

    /// All numbers zero.
    public init(zeros shape: [Int]) {
        self.init(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
    }
}
