import VGGModel

/// Which images of a data set's training half are kept for validation; for testing, where a folder of photos has none
/// for that.
public struct ValidationSplit: Hashable, Sendable {
    /// The share of each class, more than 0 and less than 1.
    public var share: Double
    /// Decides which images of a class are taken.
    public var seed: UInt64

    /// - Precondition: `share` is more than 0 and less than 1.
    public init(share: Double, seed: UInt64) {
        precondition(share > 0 && share < 1, "the share must be more than 0 and less than 1, not \(share)")
        self.share = share
        self.seed = seed
    }

    /// Which of the `count` images of a class are kept: its share, rounded, but at least one, and not the last one
    /// that is left to train on.
    ///
    /// It depends on the seed, the class's number and the count, and on nothing else.
    func kept(of count: Int, inClass number: Int) -> Set<Int> {
        guard count > 1 else { return [] }
        let kept = min(max(Int((share * Double(count)).rounded()), 1), count - 1)
        let random = Philox(seed: seed, stream: .validationSplit)
        return Set(random.permutation(of: count, sequence: UInt32(truncatingIfNeeded: number)).prefix(kept))
    }
}
