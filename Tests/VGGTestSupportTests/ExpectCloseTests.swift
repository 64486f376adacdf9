import Testing
import VGGTestSupport

/// The comparison that all suites use fails on whatever it should.
@Suite struct ExpectCloseTests {
    private let expected = [1.0, -2, 4]

    /// What each comparison says, with limits that only what cannot be compared exceeds.
    private func mismatches(_ found: [Double], _ expected: [Double]) -> [String?] {
        [
            mismatch(found, expected, within: 1e30),
            mismatch(found, expected, tolerance: 1e30, scale: 1, absolute: 0),
            mismatch(found, expected, distanceBelow: 1e30),
        ]
    }

    @Test func passesOnCloseNumbers() {
        expectClose([1, -2, 4] as [Float], expected, "equal")
        expectClose([1, -2.00008, 4], expected, "within 2e-5 of the largest")
        expectClose([1.5], [1], within: 0.5, "at the limit")
        expectClose([0.0001], [0.0], scale: 5, "beside what cancelled")
        expectDistance([1.01, -2, 4], expected, below: 0.01, "norm")
        expectDistance([0.0], [0], below: 0.01, "zeros")
    }

    @Test func namesTheWorstElement() {
        #expect(
            mismatch([1.5, -2, 5], expected, within: 0.25)
                == "element 2 of 3 is 5.0, expected 4.0: they differ by 1.0, allowed are 0.25; "
                + "2 elements differ by more")
        #expect(
            mismatch([0, 0, 5], [0, 0, 4], distanceBelow: 0.125)
                == "the distance of 3 elements is 0.25, allowed is less than 0.125; "
                + "at worst element 2 is 5.0, expected 4.0: they differ by 1.0")
        #expect(mismatch([1, -2.0001, 4], expected, tolerance: 2e-5, scale: 0, absolute: 1e-7) != nil)
        #expect(mismatch([1.5], [1], within: 0.49) != nil)
    }

    @Test func recordsAnIssue() {
        withKnownIssue {
            expectClose([1, -2, 5], expected, "logits")
            expectClose([1, -2, 5], expected, within: 0.5, "logits")
            expectDistance([1, -2, 5], expected, below: 0.1, "logits")
        } matching: {
            $0.comments.contains { $0.rawValue.hasPrefix("logits: ") }
        }
    }

    /// At every place, on either side and on both.
    @Test(arguments: [Double.nan, .infinity, -.infinity], [0, 1, 2])
    func failsOnWhatIsNoNumber(_ number: Double, at place: Int) {
        var bad = expected
        bad[place] = number
        for (found, expected) in [(bad, expected), (expected, bad), (bad, bad)] {
            let message =
                "element \(place) of 3 is \(found[place]), expected \(expected[place]): they cannot be compared"
            #expect(mismatches(found, expected) == [message, message, message])
        }
    }

    @Test func failsOnALimitThatIsNone() {
        for number in [Double.nan, .infinity] {
            #expect(mismatch(expected, expected, within: number) != nil)
            #expect(mismatch(expected, expected, tolerance: number, scale: 1, absolute: 0) != nil)
            #expect(mismatch(expected, expected, tolerance: 1, scale: number, absolute: 0) != nil)
            #expect(mismatch(expected, expected, tolerance: 1, scale: 1, absolute: number) != nil)
            #expect(mismatch(expected, expected, distanceBelow: number) != nil)
        }
    }

    @Test func failsOnMissingAndSurplusElements() {
        for (found, expected) in [([1.0, -2], expected), (expected, [1, -2]), ([], expected)] {
            let message = "there are \(found.count) elements, expected \(expected.count)"
            #expect(mismatches(found, expected) == [message, message, message])
        }
    }

    @Test func failsOnNothing() {
        for found in [[], [1.0]] {
            let message = "there is nothing to compare with; \(found.count) elements were found"
            #expect(mismatches(found, []) == [message, message, message])
        }
    }
}
