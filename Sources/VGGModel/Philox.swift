/// The counter-based random number generator Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers:
/// as easy as 1, 2, 3").
///
/// A number is a function of (seed, stream, counter) and of nothing else: any thread can make any of them in
/// any order, which is what makes runs reproducible on any number of threads.
public struct Philox: Sendable {
    /// What the numbers are for; each use has its own, independent numbers.
    public enum Stream: UInt32, Sendable {
        /// Initial weights; the sequences are the parameters.
        case initialization = 1
        /// Dropout's masks.
        case dropout = 2
        /// The order of the examples.
        case shuffle = 3
        /// Which images are kept for validation.
        case validationSplit = 4
        /// What happens to an example's picture; the sequences are the epochs.
        case augmentation = 5
        /// How the examples of a batch are mixed; the sequences are the epochs.
        case mixing = 6
        /// What is added to an image to see how a network answers; the sequences are the copies.
        case noise = 7
    }

    private let key: (UInt32, UInt32)
    private let stream: UInt32

    /// The numbers of a use.
    public init(seed: UInt64, stream: Stream) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.stream = stream.rawValue
    }

    /// Four random words for the block `index` of the sequence `sequence` (a parameter, a step, an epoch).
    public func words(sequence: UInt32, index: UInt64) -> SIMD4<UInt32> {
        Self.words(
            counter: SIMD4(
                UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), sequence, stream),
            key: key)
    }

    /// The generator itself: ten rounds over a counter of four words with a key of two.
    package static func words(counter: SIMD4<UInt32>, key: (UInt32, UInt32)) -> SIMD4<UInt32> {
        var counter = counter
        var (key0, key1) = key
        for _ in 0..<10 {
            let left = UInt64(counter.x) * 0xD251_1F53
            let right = UInt64(counter.z) * 0xCD9E_8D57
            counter = SIMD4(
                UInt32(right >> 32) ^ counter.y ^ key0, UInt32(truncatingIfNeeded: right),
                UInt32(left >> 32) ^ counter.w ^ key1, UInt32(truncatingIfNeeded: left))
            key0 &+= 0x9E37_79B9
            key1 &+= 0xBB67_AE85
        }
        return counter
    }

    /// The random word `element` of the sequence.
    public func word(sequence: UInt32, element: Int) -> UInt32 {
        words(sequence: sequence, index: UInt64(element / 4))[element % 4]
    }

    /// A float in 0..<1 from the upper 24 bits of a word.
    public static func uniform(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }
}
