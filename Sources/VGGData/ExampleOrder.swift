import VGGModel

/// In which order an epoch shows the examples of a data set.
public enum ExampleOrder: Hashable, Sendable {
    /// As they are stored.
    case stored
    /// A permutation that depends on the seed, the epoch and the number of examples, and on nothing else.
    case shuffled(seed: UInt64, epoch: Int)

    /// The positions of `count` examples, first to last.
    public func indices(count: Int) -> [Int] {
        switch self {
        case .stored: Array(0..<count)
        case .shuffled(let seed, let epoch):
            Philox(seed: seed, stream: .shuffle).permutation(
                of: count, sequence: UInt32(truncatingIfNeeded: epoch))
        }
    }
}

extension Philox {
    /// The numbers from 0 to `count` - 1 in the order of the sequence `sequence`.
    ///
    /// The shuffle is Fisher and Yates's, with a word of the generator for each exchange, so an epoch can be
    /// entered without the epochs before it. Taking an index from a word by multiplication favours some indices
    /// by at most `count` / 2³² of their probability.
    func permutation(of count: Int, sequence: UInt32) -> [Int] {
        var indices = Array(0..<count)
        for last in indices.indices.dropFirst().reversed() {
            let word = word(sequence: sequence, element: last)
            indices.swapAt(last, Int((UInt64(word) * UInt64(last + 1)) >> 32))
        }
        return indices
    }
}
