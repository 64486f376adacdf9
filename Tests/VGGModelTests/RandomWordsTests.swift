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
}
