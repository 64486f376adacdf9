import VGGEngine

/// Numbers of the ranks' parts of a batch, added along its tree.
///
/// Neighbours exchange halves and each adds the one that it keeps; then those two ranks away exchange halves of what they
/// kept, and so on, which is recursive halving (Thakur, Rabenseifner & Gropp 2005, section 4.3) from the near ranks to the
/// far ones, the order of the tree's pairs. On the way back each gets the others' sums. A number is added up in one
/// place, and two ranks send 1 - 1/count of all numbers each way.
struct TreeExchange {
    private let communicator: any Communicator
    /// Of the whole batch, each rank's part of which is one of `count` nodes.
    var tree: SumTree
    private var received: [Float] = []

    init(_ communicator: any Communicator, tree: SumTree) {
        self.communicator = communicator
        self.tree = tree
    }

    /// Replaces the numbers of this rank's part by the sums.
    mutating func exchange(_ gradients: UnsafeMutableBufferPointer<Float>) throws {
        let (communicator, tree) = (communicator, tree)
        let rank = communicator.rank
        if received.count < (gradients.count + 1) / 2 {
            received = Array(repeating: 0, count: (gradients.count + 1) / 2)
        }
        var kept = 0..<gradients.count
        var halvings: [(other: Int, kept: Range<Int>, sent: Range<Int>)] = []
        for distance in communicator.distances {
            let other = rank ^ distance
            let middle = kept.lowerBound + kept.count / 2
            let halves = (kept.lowerBound..<middle, middle..<kept.upperBound)
            let (mine, theirs) = rank < other ? halves : (halves.1, halves.0)
            try received.withUnsafeMutableBufferPointer { received in
                try communicator.exchange(
                    UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients[theirs])),
                    UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: received[0..<mine.count])), with: other,
                    on: .gradients)
                // A part without images has no gradients, and nothing is added to or by it.
                guard communicator.hasImages(other, among: distance, of: tree) else { return }
                let sums = UnsafeMutableBufferPointer(rebasing: gradients[mine])
                if communicator.hasImages(rank, among: distance, of: tree) {
                    for index in sums.indices { sums[index] += received[index] }
                } else {
                    for index in sums.indices { sums[index] = received[index] }
                }
            }
            halvings.append((other, mine, theirs))
            kept = mine
        }
        for (other, mine, theirs) in halvings.reversed() {
            try communicator.exchange(
                UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients[mine])),
                UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients[theirs])),
                with: other, on: .gradients)
        }
    }
}
