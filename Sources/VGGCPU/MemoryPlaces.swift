/// Places in one piece of memory for what is not all in use at once.
package struct MemoryPlaces: Sendable {
    /// What wants a place.
    package struct Item: Sendable {
        let bytes: Int
        /// When it is in use.
        let times: ClosedRange<Int>

        package init(bytes: Int, times: ClosedRange<Int>) {
            self.bytes = bytes.roundedUp(to: 64)
            self.times = times
        }
    }

    /// Where each item starts, in bytes.
    package let offsets: [Int]
    /// Where the last of them ends.
    package let total: Int

    /// Items come in the order of their times, of equal ones the longest first, or in that of their sizes, and each takes the
    /// first gap between those that it meets: the order that needs less memory. Maps of a training are in use from forward to
    /// backward, one around the other, and lie best in the first order; where few are in use at once, the second is better.
    package init(_ items: [Item]) {
        let byTime = items.indices.sorted {
            let (first, second) = (items[$0].times, items[$1].times)
            return (first.lowerBound, -first.upperBound, $0) < (second.lowerBound, -second.upperBound, $1)
        }
        let bySize = items.indices.sorted { (-items[$0].bytes, $0) < (-items[$1].bytes, $1) }
        let (first, second) = (MemoryPlaces(items, in: byTime), MemoryPlaces(items, in: bySize))
        self = second.total < first.total ? second : first
    }

    private init(_ items: [Item], in order: [Int]) {
        var offsets = items.map { _ in 0 }
        /// Those that have a place, in the order of these.
        var placed: [Int] = []
        var total = 0
        for index in order where items[index].bytes > 0 {
            let item = items[index]
            var start = 0
            for other in placed where items[other].times.overlaps(item.times) {
                if offsets[other] >= start + item.bytes { break }
                start = max(start, offsets[other] + items[other].bytes)
            }
            offsets[index] = start
            placed.insert(index, at: placed.firstIndex { offsets[$0] > start } ?? placed.endIndex)
            total = max(total, start + item.bytes)
        }
        self.offsets = offsets
        self.total = total
    }
}
