/// The shape of one example (no batch dimension) between two layers.
public enum Shape: Hashable, Sendable {
    /// A stack of feature maps, or a picture: channels × height × width.
    case map(channels: Int, height: Int, width: Int)
    /// A vector of features.
    case vector(Int)

    /// The dimensions in PyTorch's order: `[channels, height, width]` or `[features]`.
    public var dimensions: [Int] {
        switch self {
        case .map(let channels, let height, let width): [channels, height, width]
        case .vector(let features): [features]
        }
    }

    /// How many numbers one example of this shape has.
    public var count: Int { dimensions.reduce(1, *) }
}

extension Shape: CustomStringConvertible {
    public var description: String { dimensions.map(String.init).joined(separator: "×") }
}
