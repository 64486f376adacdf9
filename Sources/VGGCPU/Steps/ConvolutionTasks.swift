import VGGEngine
import VGGModel

/// How the passes of a convolution are cut into tasks, which changes no sum. Decided here alone; the step, its scratch
/// memory and `summary --plan` read it.
struct ConvolutionTasks {
    /// Of a direct forward pass: an image, some rows of its output.
    let rows: TaskGrid
    /// Of a forward pass by Winograd's algorithm: some tiles of all images.
    let tiles: TaskRanges
    /// Of the gradients.
    let gradients: GradientTasks

    /// - Parameters:
    ///   - node: what is run.
    ///   - rows: of the map that is made, pooled where a pool is fused.
    ///   - tiles: Winograd's tiles of an image, how many are best at once, and how many at least.
    ///   - images: are best at once in the gradients.
    init(
        _ planned: LaidOutStep, _ convolution: Convolution, _ choice: ConvolutionChoice, node: SumTree,
        rows: Int, tiles: (image: Int, block: (most: Int, least: Int)), images: Int, threads: Int
    ) {
        let count = node.images.count
        self.rows = TaskGrid(count, over: rows, least: 1, threads: threads)
        // A task reads all weights: less than a block of tiles is worth that only where many threads would be idle.
        let isFew = threads < 8
        self.tiles = TaskRanges(
            evenly: count * tiles.image, most: tiles.block.most, least: isFew ? tiles.block.least : 1,
            threads: threads, turns: isFew ? 1 : 2)
        gradients = GradientTasks(
            node.cut(to: choice.leaves), panels: convolution.outChannels.panels, images: images,
            threads: threads)
    }
}

/// Nodes of the tree × panels of output channels. Where the nodes are enough tasks, each makes the gradients of its
/// images' inputs too, out of the same maps; else these are tasks of their own.
struct GradientTasks {
    /// Leaves of a node, with the empty ones.
    let leaves: Int
    /// Those with images, and how their sums are added.
    let nodes: [SumTree]
    let sum: [SumTree.Leaf]
    /// For a node, some panels.
    let weights: TaskGrid
    /// Of the inputs' gradients alone: some images.
    let images: TaskRanges

    init(_ tree: SumTree, panels: Int, images: Int, threads: Int) {
        // Four tasks a thread, of which the last may be as long as the others.
        var count = 1
        while count < tree.leafCount, threads > 1, count < 4 * threads { count *= 2 }
        leaves = tree.leafCount / count
        (nodes, sum) = tree.nodes(count)
        weights = TaskGrid(nodes.count, over: panels, least: 1, threads: threads)
        self.images = TaskRanges(over: tree.images.count, grain: images, least: 1, threads: threads)
    }

    /// Whether the gradients of weights and inputs are made by the same tasks.
    var areOne: Bool { weights.ranges.tasks == 1 }

    /// So many sums wait at once, the one at hand included.
    var depth: Int { leaves.trailingZeroBitCount + 1 }
}
