import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

@Suite struct SumTreeTests {
    /// The sum of numbers as the tree says, by another way: from the root down.
    private func reference(_ numbers: ArraySlice<Float>, _ tree: SumTree) -> Float? {
        guard tree.leafCount > 1 else { return numbers[tree.images].reduce(nil) { ($0 ?? 0) + $1 } }
        let (first, second) = (
            reference(numbers, tree.node(0, of: 2)), reference(numbers, tree.node(1, of: 2))
        )
        guard let first else { return second }
        return second.map { first + $0 } ?? first
    }

    private func sum(_ numbers: [Float], _ tree: SumTree) -> Float {
        var start = tree.images.lowerBound
        var sums = tree.leaves.map { leaf in
            defer { start += leaf.count }
            return numbers[start..<start + leaf.count].reduce(0, +)
        }
        #expect(start == tree.images.upperBound)
        SumTree.forEachAddition(in: tree.leaves) { sums[$0] += sums[$1] }
        return sums[0]
    }

    private static let batches = [1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 127, 128, 129, 1000, 65536]

    @Test(arguments: batches)
    func addsPairsOfPairs(_ count: Int) throws {
        let philox = Philox(seed: 3, stream: .shuffle)
        let numbers = (0..<count).map { Philox.uniform(philox.word(sequence: 0, element: $0)) }
        for leaves in [16, 32, 128] {
            let tree = SumTree(images: count).cut(to: leaves)
            let expected = try #require(reference(numbers[...], tree))
            #expect(sum(numbers, tree) == expected)
            #expect(abs(Double(expected) - numbers.reduce(0) { $0 + Double($1) }) <= 1e-5 * Double(count))
            // Nodes come to the same, however many there are.
            for parts in [1, 2, 4, 8, 16] {
                let (nodes, additions) = tree.nodes(parts)
                var sums = nodes.map { sum(numbers, $0) }
                SumTree.forEachAddition(in: additions) { sums[$0] += sums[$1] }
                #expect(sums[0] == expected)
            }
        }
    }

    @Test(arguments: batches)
    func dealsEveryImageOutOnceAndEvenly(_ count: Int) {
        for leaves in [16, 64, 128] {
            let tree = SumTree(images: count).cut(to: leaves)
            let nodes = (0..<leaves).map { tree.node($0, of: leaves) }
            #expect(nodes.flatMap(\.images) == Array(0..<count))
            #expect(
                nodes.allSatisfy {
                    [count / leaves, (count + leaves - 1) / leaves].contains($0.images.count)
                })
            // More leaves only divide those that there are.
            for (index, node) in nodes.enumerated() where leaves > 16 {
                let shard = SumTree(images: count).node(index * 16 / leaves, of: 16)
                #expect(node.images.isEmpty || shard.images.contains(node.images.lowerBound))
            }
            // The last addition leaves one sum.
            let parts = tree.leaves
            #expect(parts.count == min(count, leaves))
            #expect(parts.map(\.additions).reduce(0, +) == parts.count - 1)
        }
    }

    @Test func isThatOfTheDocumentation() {
        let node = SumTree(images: 100).node(2, of: 4)
        #expect(node.images == 50..<75)
        #expect(node.leaves.map(\.count) == [6, 6, 6, 7] && node.leaves.map(\.additions) == [0, 1, 0, 2])
    }
}
