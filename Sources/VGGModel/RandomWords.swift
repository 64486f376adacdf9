import Foundation

/// The words of one sequence of the counter-based generator, one after the other, and what is drawn from them.
///
/// Whoever draws with rejections takes as many words as it needs; what others draw does not move, because each has a
/// place of its own to begin at.
public struct RandomWords: Sendable {
    private let philox: Philox
    private let sequence: UInt32
    private var block: UInt64
    /// The block's words that were not taken yet.
    private var words = SIMD4<UInt32>()
    private var taken = 4

    /// - Parameter block: where to begin, in blocks of four words.
    public init(_ philox: Philox, sequence: UInt32, from block: UInt64 = 0) {
        self.philox = philox
        self.sequence = sequence
        self.block = block
    }

    /// The next 32 bits.
    public mutating func next() -> UInt32 {
        if taken == 4 {
            words = philox.words(sequence: sequence, index: block)
            block &+= 1
            taken = 0
        }
        defer { taken += 1 }
        return words[taken]
    }

    /// Uniform in 0..<1, in steps of 2⁻³².
    public mutating func uniform() -> Double { Double(next()) * 0x1p-32 }

    /// Uniform in the range.
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// Uniform among 0…count - 1; some are favoured by at most `count` / 2³² of their probability.
    /// - Precondition: `count` is positive and less than 2³².
    public mutating func integer(below count: Int) -> Int {
        precondition(count > 0 && count <= UInt32.max, "there is nothing to choose from \(count)")
        return Int((UInt64(next()) * UInt64(count)) >> 32)
    }

    /// Two independent normal numbers with mean 0 and variance 1 (Box & Muller 1958), from two words.
    public mutating func normals() -> (Double, Double) { Philox.normals(next(), next()) }
}

extension Philox {
    /// Two independent normal numbers with mean 0 and variance 1 from two words (Box & Muller 1958).
    public static func normals(_ first: UInt32, _ second: UInt32) -> (Double, Double) {
        // 1 - u is in 0 <... 1, where the logarithm is finite.
        let radius = (-2 * log(1 - Double(uniform(first)))).squareRoot()
        let angle = 2 * Double.pi * Double(uniform(second))
        return (radius * cos(angle), radius * sin(angle))
    }
}
