import Testing
import VGGModel

@Suite struct TensorValuesTests {
    /// Memory that somebody else keeps.
    private final class Owner: Sendable {
        nonisolated(unsafe) let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: 3)
        deinit { floats.deallocate() }
    }

    private func borrowed(_ numbers: [Float]) -> (owner: Owner, values: TensorValues) {
        let owner = Owner()
        _ = owner.floats.initialize(from: numbers)
        return (owner, TensorValues(borrowing: UnsafeBufferPointer(owner.floats), from: owner))
    }

    @Test func borrowedNumbersAreThoseOfAnArray() {
        let (_, values) = borrowed([1, 2, 3])
        #expect(values == [1, 2, 3] && values.count == 3 && values[1] == 2)
        #expect(values.hashValue == TensorValues([1, 2, 3]).hashValue)
        #expect(Tensor(shape: [3], values: values) == Tensor(shape: [3], values: [1, 2, 3] as [Float]))
        #expect(values != [1, 2] && values != [1, 2, 4])
    }

    @Test func changingACopyLeavesWhatWasBorrowed() {
        let (owner, values) = borrowed([1, 2, 3])
        var copy = values
        copy[1] = 7
        #expect(copy == [1, 7, 3] && values == [1, 2, 3] && Array(owner.floats) == [1, 2, 3])
        var second = copy
        second[0] = 9
        #expect(second == [9, 7, 3] && copy == [1, 7, 3])
    }

    @Test func whatIsBorrowedLivesAsLongAsItsNumbers() {
        weak var owner: Owner?
        do {
            var values: TensorValues?
            do {
                let made = borrowed([1, 2, 3])
                owner = made.owner
                values = made.values
            }
            #expect(owner != nil && values == [1, 2, 3])
            values = nil
        }
        #expect(owner == nil)
    }
}
