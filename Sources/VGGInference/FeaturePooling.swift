import VGGModel

/// What is kept of a layer's maps.
public enum FeaturePooling: String, CaseIterable, Sendable {
    /// Whole maps.
    case none
    /// One number a channel, the average of its map; summed in double precision.
    case avg
    /// One number a channel, the largest of its map.
    case max

    /// - Parameter features: [count, channels, height, width], or [count, features] of a vector.
    /// - Returns: [count, channels] of maps; what is given, if they are none or are not pooled.
    public func pooled(_ features: Tensor) -> Tensor {
        guard self != .none, features.shape.count == 4 else { return features }
        let pixels = features.shape[2] * features.shape[3]
        let values = stride(from: 0, to: features.values.count, by: pixels).map { start -> Float in
            let map = features.values[start..<start + pixels]
            return self == .max
                ? map.max() ?? 0 : Float(map.reduce(0.0) { $0 + Double($1) } / Double(pixels))
        }
        return Tensor(shape: Array(features.shape.prefix(2)), values: values)
    }
}
