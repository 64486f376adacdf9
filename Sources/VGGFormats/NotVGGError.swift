import VGGModel

/// Weights that are of no VGG, or of one that cannot be told.
public struct NotVGGError: Error, Hashable, CustomStringConvertible {
    /// What does not fit.
    public var reason: String
    /// The rows that would make the network known, if it is a VGG; nil where none would.
    public var suggestion: ConvArch?

    /// - Parameter suggestion: rows of a network that could be meant.
    public init(_ reason: String, _ suggestion: ConvArch? = nil) {
        self.reason = reason
        self.suggestion = suggestion
    }

    public var description: String {
        "the weights are of no VGG that can be recognised: \(reason)"
            + (suggestion.map { "; if it is one all the same, say which: \(Setting.convArch) \($0)" } ?? "")
    }
}
