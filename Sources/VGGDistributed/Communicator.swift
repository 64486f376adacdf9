import VGGEngine

/// The processes that compute together, seen by one of them: its rank, and a way to each of the others.
///
/// Everything that all do together is made of `exchange`; all call the same functions in the same order. The order of
/// sums is that of a `SumTree` and not of the transport, so that any number of ranks gets the same bits.
public protocol Communicator: AnyObject {
    /// This process's number, 0 ..< count.
    var rank: Int { get }
    /// A power of two, at most as many as a batch is cut into (`SumTree.shards`).
    var count: Int { get }

    /// Sends bytes to another rank and receives bytes from it, either of which may be none.
    /// - Throws: `DistributedError` if the other cannot be reached.
    func exchange(
        _ sent: UnsafeRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, with rank: Int
    ) throws(DistributedError)
}

/// What is wrong with the processes that compute together.
public struct DistributedError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    package init(_ description: String) { self.description = description }
}

extension Communicator {
    /// The rank that writes and prints.
    package var isFirst: Bool { rank == 0 }

    /// Where this rank exchanges: with its neighbour, then with one two ranks away and so on, as pairs of pairs do.
    private var distances: [Int] { Array(sequence(first: 1) { 2 * $0 }.prefix { $0 < count }) }

    /// Whether the `size` neighbouring ranks that one belongs to have any of a batch's images.
    func hasImages(_ rank: Int, among size: Int, of tree: SumTree) -> Bool {
        !tree.node(rank / size, of: count / size).images.isEmpty
    }

    /// Adds a few numbers of each rank's part of a batch: all ranks get the sums.
    package func add(_ numbers: inout [Double], along tree: SumTree) throws {
        try combine(&numbers, along: tree) { first, second in
            for place in first.indices { first[place] += second[place] }
        }
    }

    /// The same for what is more than a sum.
    /// - Parameter merge: makes, of the numbers of a node's first and second half, those of the node, in place of the first.
    package func combine(
        _ numbers: inout [Double], along tree: SumTree, by merge: (inout [Double], [Double]) -> Void
    ) throws {
        var others = numbers
        for distance in distances {
            let other = rank ^ distance
            try numbers.withUnsafeBytes { mine in
                try others.withUnsafeMutableBytes { try exchange(mine, $0, with: other) }
            }
            guard hasImages(other, among: distance, of: tree) else { continue }
            if !hasImages(rank, among: distance, of: tree) {
                numbers = others
            } else if rank < other {
                merge(&numbers, others)
            } else {
                var first = others
                merge(&first, numbers)
                numbers = first
            }
        }
    }

    /// Gives all ranks what the first has.
    package func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
        let none = (
            UnsafeRawBufferPointer(start: nil, count: 0), UnsafeMutableRawBufferPointer(start: nil, count: 0)
        )
        var bytes = bytes
        var length = [UInt64(bytes.count)]
        // Those that have it double their number.
        for distance in distances where rank < 2 * distance {
            let other = rank ^ distance
            if rank < distance {
                try length.withUnsafeBytes { try exchange($0, none.1, with: other) }
                try bytes.withUnsafeBytes { try exchange($0, none.1, with: other) }
            } else {
                try length.withUnsafeMutableBytes { try exchange(none.0, $0, with: other) }
                bytes = Array(repeating: 0, count: Int(length[0]))
                try bytes.withUnsafeMutableBytes { try exchange(none.0, $0, with: other) }
            }
        }
        return bytes
    }
}

/// The gradients of the ranks' parts of a batch, added along its tree.
///
/// Neighbours exchange halves and each adds the one that it keeps; then those two ranks away exchange halves of what they
/// kept, and so on, which is recursive halving (Thakur, Rabenseifner & Gropp 2005, section 4.3) from the near ranks to the
/// far ones, the order of the tree's pairs. On the way back each gets the others' sums. A number is added up in one
/// place, and two ranks send 1 - 1/count of all numbers each way.
package struct TreeExchange: GradientExchange {
    private let communicator: any Communicator
    /// Of the whole batch, each rank's part of which is one of `count` nodes.
    package var tree: SumTree
    private var received: [Float] = []

    package init(_ communicator: any Communicator, tree: SumTree) {
        self.communicator = communicator
        self.tree = tree
    }

    package mutating func exchange(_ gradients: inout MutableSpan<Float>) throws {
        try gradients.withUnsafeMutableBufferPointer { try exchange($0) }
    }

    private mutating func exchange(_ gradients: UnsafeMutableBufferPointer<Float>) throws {
        let (communicator, tree) = (communicator, tree)
        let (rank, count) = (communicator.rank, communicator.count)
        if received.count < (gradients.count + 1) / 2 {
            received = Array(repeating: 0, count: (gradients.count + 1) / 2)
        }
        var kept = 0..<gradients.count
        var halvings: [(other: Int, kept: Range<Int>, sent: Range<Int>)] = []
        var distance = 1
        while distance < count {
            let other = rank ^ distance
            let middle = kept.lowerBound + kept.count / 2
            let halves = (kept.lowerBound..<middle, middle..<kept.upperBound)
            let (mine, theirs) = rank < other ? halves : (halves.1, halves.0)
            try received.withUnsafeMutableBufferPointer { received in
                try communicator.exchange(
                    UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients[theirs])),
                    UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: received[0..<mine.count])), with: other)
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
            distance *= 2
        }
        for (other, mine, theirs) in halvings.reversed() {
            try communicator.exchange(
                UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients[mine])),
                UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients[theirs])),
                with: other)
        }
    }
}
