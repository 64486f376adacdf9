/// The order in which everything that is summed over a batch is added: one binary tree, which follows from the number
/// of images alone. Whoever adds along it gets the same bits, however many there are.
///
/// The images are dealt out in their order to the tree's leaves; a leaf's sum is made image by image, and then pairs are
/// added, pairs of pairs and so on. A node is a part of the batch whose sum can be made without the rest:
///
///     let batch = SumTree(images: 100)
///     batch.node(2, of: 4).images      // 50..<75: the sum of these is one of four that are added in pairs
///     batch.node(2, of: 4).leaves      // how it is made: (6, 0), (6, 1), (6, 0), (7, 2)
///
/// Every tree has `shards` leaves at least: as many may share a batch out among themselves. A sum that needs more
/// tasks cuts the shards further, which is the same tree with more leaves (`cut`).
///
/// Where there are fewer images than leaves some of these are empty; they are left out, and so are the additions
/// to them.
package struct SumTree: Hashable, Sendable {
    /// A constant of what the program computes, as is `mostLeaves`: another number gives other bits. So many machines may
    /// share a batch; and in a batch of 128 a leaf has eight images, enough to fill the tiles of the slowest kernels and to make
    /// what an addition costs small beside what it adds.
    package static let shards = 16
    /// With an image a leaf in a batch of 128: two tasks for each of 64 threads.
    package static let mostLeaves = 128

    /// Images of the whole batch.
    package let batch: Int
    /// Leaves of the whole tree.
    private let width: Int
    /// This node's.
    private let range: Range<Int>

    private init(batch: Int, width: Int, range: Range<Int>) {
        self.batch = batch
        self.width = width
        self.range = range
    }

    /// The whole tree.
    package init(images: Int) {
        self.init(batch: images, width: Self.shards, range: 0..<Self.shards)
    }

    /// How many leaves it has, with the empty ones.
    package var leafCount: Int { range.count }

    /// The node's images, of the batch.
    package var images: Range<Int> { images(range) }

    private func images(_ leaves: Range<Int>) -> Range<Int> {
        batch * leaves.lowerBound / width..<batch * leaves.upperBound / width
    }

    /// One of `count` nodes, a power of two and at most as many as there are leaves, that the node is the sum of.
    package func node(_ index: Int, of count: Int) -> SumTree {
        precondition(count & (count - 1) == 0 && count <= range.count && (0..<count).contains(index))
        let size = range.count / count
        let start = range.lowerBound + index * size
        return SumTree(batch: batch, width: width, range: start..<start + size)
    }

    /// The same node of the tree that has `leaves` in all, a power of two and at least as many as before.
    package func cut(to leaves: Int) -> SumTree {
        precondition(leaves & (leaves - 1) == 0 && leaves >= width)
        let parts = leaves / width
        return SumTree(
            batch: batch, width: leaves, range: range.lowerBound * parts..<range.upperBound * parts)
    }

    /// What is added one after another, and how.
    package struct Leaf: Hashable, Sendable {
        /// Images of the leaf.
        package let count: Int
        /// So many of the sums that wait are added to its own, the youngest first; what comes out waits, or is the
        /// node's.
        package fileprivate(set) var additions: Int
    }

    /// The leaves that have images.
    package var leaves: [Leaf] { leaves(of: 1) }

    /// The nodes with images among the `count` that the node is cut into, each of which may be a task, and how their sums are
    /// added: each counts as a leaf of one.
    package func nodes(_ count: Int) -> (nodes: [SumTree], sum: [Leaf]) {
        let nodes = (0..<count).map { node($0, of: count) }.filter { !$0.images.isEmpty }
        let sum = leaves(of: range.count / count).map { Leaf(count: 1, additions: $0.additions) }
        return (nodes, sum)
    }

    /// The same where `size` leaves count as one.
    private func leaves(of size: Int) -> [Leaf] {
        var found: [Leaf] = []
        /// - Returns: whether there are any images.
        func visit(_ leaves: Range<Int>) -> Bool {
            guard leaves.count > size else {
                let count = images(leaves).count
                if count > 0 { found.append(Leaf(count: count, additions: 0)) }
                return count > 0
            }
            let middle = leaves.lowerBound + leaves.count / 2
            let (first, second) = (
                visit(leaves.lowerBound..<middle), visit(middle..<leaves.upperBound)
            )
            if first && second { found[found.count - 1].additions += 1 }
            return first || second
        }
        _ = visit(range)
        return found
    }

    /// Adds rows of which each is the sum of a leaf.
    /// - Parameter add: adds the second row to the first. In the end the first of all has the sum.
    package static func forEachAddition(in leaves: [Leaf], _ add: (_ row: Int, _ other: Int) -> Void) {
        var waiting: [Int] = []
        for (index, leaf) in leaves.enumerated() {
            var row = index
            for _ in 0..<leaf.additions {
                let other = waiting.removeLast()
                add(other, row)
                row = other
            }
            waiting.append(row)
        }
    }
}
