import Foundation
import Testing
import VGGModel

@Suite struct RandomWordsTests {
    private let philox = Philox(seed: 42, stream: .augmentation)

    @Test func wordsFollowFromTheirBlock() {
        var words = RandomWords(philox, sequence: 3, from: 1 << 40)
        let expected = (0..<UInt64(3)).flatMap { block in
            let four = philox.words(sequence: 3, index: 1 << 40 + block)
            return [four.x, four.y, four.z, four.w]
        }
        #expect(expected.map { _ in words.next() } == expected)
    }

    /// Numbers of either kind are made of the same words, in their order.
    @Test func numbersAreMadeOfWords() {
        var words = RandomWords(philox, sequence: 0)
        let expected = (0..<4).map { philox.word(sequence: 0, element: $0) }
        #expect(words.uniform() == Double(expected[0]) / 0x1p32)
        #expect(words.uniform(in: -3 ... -1) == -3 + Double(expected[1]) / 0x1p31)
        #expect(words.integer(below: 10) == Int(Double(expected[2]) / 0x1p32 * 10))
        #expect(words.integer(below: 1) == 0)
    }

    /// The moments of 40 000 numbers, to five standard deviations of each: those of the k-th power are √((2k-1)!! / n).
    @Test func normalsAreNormal() {
        var words = RandomWords(philox, sequence: 1)
        let values = (0..<20_000).flatMap { _ in
            let (first, second) = words.normals()
            return [first, second]
        }
        func moment(_ power: Int) -> Double {
            values.reduce(0) { sum, value in sum + (0..<power).reduce(1.0) { product, _ in product * value } }
                / Double(values.count)
        }
        for (power, expected, deviations) in [(1, 0.0, 1.0), (2, 1, 3), (3, 0, 15), (4, 3, 105)] {
            let limit = 5 * (deviations / Double(values.count)).squareRoot()
            #expect(abs(moment(power) - expected) < limit, "the moment \(power) is \(moment(power))")
        }
        let products = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(products / Double(values.count)) < 5 / Double(values.count).squareRoot())
    }

    /// Beta(1, 1) is uniform, Beta(1/2, 1/2) the arcsine's, Beta(2, 2) has the distribution 3x² - 2x³: the largest
    /// difference (Kolmogorov & Smirnov) of n numbers is above 1.95 / √n once in a thousand.
    @Test(arguments: [0.5, 1, 2]) func betaHasItsDistribution(alpha: Double) {
        var words = RandomWords(philox, sequence: 2)
        let count = 20_000
        let values = (0..<count).map { _ in words.beta(alpha) }.sorted()
        let worst = values.enumerated().map { place, value in
            let expected =
                switch alpha {
                case 0.5: 2 / Double.pi * asin(value.squareRoot())
                case 1: value
                default: value * value * (3 - 2 * value)
                }
            return max(
                abs(Double(place) / Double(count) - expected),
                abs(Double(place + 1) / Double(count) - expected))
        }.max()
        #expect((worst ?? 1) < 1.95 / Double(count).squareRoot())
    }

    /// The variance is 1 / (8 alpha + 4), also where nearly all numbers are 0 or 1.
    @Test(arguments: [0.001, 0.2, 0.8, 8, 1000]) func betaHasItsVariance(alpha: Double) {
        var words = RandomWords(philox, sequence: 3)
        let values = (0..<20_000).map { _ in words.beta(alpha) }
        #expect(values.allSatisfy { (0...1).contains($0) })
        let (mean, variance) = (0.5, 1 / (8 * alpha + 4))
        let count = Double(values.count)
        #expect(abs(values.reduce(0, +) / count - mean) < 5 * (variance / count).squareRoot())
        let found = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        // The fourth moment is at most three times the variance's square.
        #expect(abs(found - variance) < 5 * variance * (2 / count).squareRoot())
    }
}
