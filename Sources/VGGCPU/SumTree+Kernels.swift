import CVGGKernels
import VGGEngine

extension SumTree.Leaf {
    /// As kernels read it.
    var kernelLeaf: vgg_leaf { vgg_leaf(rows: count, additions: additions) }
}

extension vgg_kernels {
    /// total[i] = Σ over the leaves' rows of rows[row · stride + i], as a tree.
    func sum(
        _ rows: Floats, stride: Int, _ leaves: [SumTree.Leaf], to total: Floats, count: Int
    ) {
        let leaves = leaves.map(\.kernelLeaf)
        sum_tree(rows, stride, leaves, leaves.count, total, count)
    }
}
