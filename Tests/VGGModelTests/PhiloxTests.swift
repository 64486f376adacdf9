import Testing
import VGGModel

@Suite struct PhiloxTests {
    /// The known answers that the authors publish with Random123 (kat_vectors, philox4x32 10).
    @Test func knownAnswers() {
        #expect(
            Philox.words(counter: SIMD4(repeating: 0), key: (0, 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Philox.words(counter: SIMD4(repeating: .max), key: (.max, .max))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Philox.words(
                counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
                key: (0xa409_3822, 0x299f_31d0))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test(arguments: [Philox.Stream.initialization, .dropout, .shuffle])
    func theCounterIsIndexSequenceAndStream(_ stream: Philox.Stream) {
        let generator = Philox(seed: 0x0123_4567_89ab_cdef, stream: stream)
        #expect(
            generator.words(sequence: 7, index: 0x1122_3344_5566_7788)
                == Philox.words(
                    counter: SIMD4(0x5566_7788, 0x1122_3344, 7, stream.rawValue),
                    key: (0x89ab_cdef, 0x0123_4567)))
    }

    @Test func elementsAreTheWordsInARow() {
        let generator = Philox(seed: 42, stream: .dropout)
        let words = (0..<UInt64(3)).flatMap { block in
            let four = generator.words(sequence: 5, index: block)
            return [four.x, four.y, four.z, four.w]
        }
        #expect(words == (0..<12).map { generator.word(sequence: 5, element: $0) })
        #expect(Set(words).count == 12)
    }

    @Test func uniformIsAtLeastZeroAndLessThanOne() {
        #expect(Philox.uniform(0) == 0)
        #expect(Philox.uniform(.max) == 1 - 0x1p-24)
        #expect(Philox.uniform(1 << 31) == 0.5)
    }
}
