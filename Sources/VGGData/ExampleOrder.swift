import VGGModel

/// In which order an epoch shows the examples of a data set.
public enum ExampleOrder: Hashable, Sendable {
    /// As they are stored.
    case stored
    /// A permutation that depends on the seed, the epoch and the number of examples, and on nothing else.
    case shuffled(seed: UInt64, epoch: Int)

    /// The positions of `count` examples, first to last.
    ///
    /// The shuffle is Fisher and Yates's, with a counter-based generator's word for each exchange, so an epoch
    /// can be entered without the epochs before it. Taking an index from a word by multiplication
    /// favours some indices by at most `count` / 2³² of their probability.
    public func indices(count: Int) -> [Int] {
        var indices = Array(0..<count)
        if case .shuffled(let seed, let epoch) = self {
            let random = Philox(seed: seed, stream: .shuffle)
            for last in indices.indices.dropFirst().reversed() {
                let word = random.word(sequence: UInt32(truncatingIfNeeded: epoch), element: last)
                indices.swapAt(last, Int((UInt64(word) * UInt64(last + 1)) >> 32))
            }
        }
        return indices
    }
}
