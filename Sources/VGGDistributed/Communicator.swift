import VGGEngine

/// The processes that compute together, seen by one of them: its rank, and a way to each of the others.
///
/// Everything that all do together is made of `exchange`; all call the same functions in the same order. The order of
/// sums is that of a `SumTree` and not of the transport, so that any number of ranks gets the same bits.
public protocol Communicator: AnyObject, Sendable {
    /// This process's number, 0 ..< count.
    var rank: Int { get }
    /// A power of two, at most as many as a batch is cut into (`SumTree.shards`).
    var count: Int { get }

    /// Sends bytes to another rank and receives bytes from it, either of which may be none. Two threads may do so at once
    /// on two channels.
    /// - Throws: `DistributedError` if the other cannot be reached.
    func exchange(
        _ sent: UnsafeRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, with rank: Int,
        on channel: RankChannel
    ) throws(DistributedError)
}

/// One of the ways between two ranks: its messages wait for none of another's.
public enum RankChannel: Int32, CaseIterable, Sendable {
    /// What all wait for: figures, and the sums of batch norm.
    case figures = 1
    /// What goes out while other things are computed.
    case gradients
    /// Signs of life.
    case heartbeat
}

/// What is wrong with the processes that compute together.
public struct DistributedError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    package init(_ description: String) { self.description = description }
}

extension Communicator {
    func exchange(
        _ sent: UnsafeRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, with rank: Int
    ) throws(DistributedError) {
        try exchange(sent, received, with: rank, on: .figures)
    }

    /// Where this rank exchanges: with its neighbour, then with one two ranks away and so on, as pairs of pairs do.
    var distances: [Int] { Array(sequence(first: 1) { 2 * $0 }.prefix { $0 < count }) }

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
