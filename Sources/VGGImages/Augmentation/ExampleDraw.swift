import VGGModel

/// Where the random numbers for one example in one epoch come from.
///
/// Each use has a place of its own, so that its numbers are the same whatever else is drawn, and in whatever order:
/// by another thread, by another loader, after a resumption.
public struct ExampleDraw: Hashable, Sendable {
    /// What numbers are drawn for.
    enum Use: UInt64 { case crop, horizontalFlip, verticalFlip, colorJitter, trivialAugment, erasing }

    /// That of the training.
    public let seed: UInt64
    /// Counted from 0.
    public let epoch: Int
    /// Its number in the data set.
    public let example: Int

    /// Another draw for every three numbers.
    public init(seed: UInt64, epoch: Int, example: Int) {
        self.seed = seed
        self.epoch = epoch
        self.example = example
    }

    /// The words for a use. Of an index's 64 bits the upper half is the example; 24 are left for blocks of four words,
    /// enough for a number for each byte of what is erased from the largest picture.
    /// - Parameter epoch: another one than that of the draw.
    func words(for use: Use, inEpoch epoch: Int? = nil) -> RandomWords {
        RandomWords(
            Philox(seed: seed, stream: .augmentation),
            sequence: UInt32(truncatingIfNeeded: epoch ?? self.epoch),
            from: UInt64(UInt32(truncatingIfNeeded: example)) << 32 | use.rawValue << 24)
    }
}
