import CVGGKernels
import VGGEngine
import VGGModel

/// The gradients of weights and bias, summed along the tree. A task walks the leaves of its node in their order and so
/// needs memory for few sums: those that wait for their other half.
extension ConvolutionStep {
    /// Where a leaf's gradients of some panels of output channels are summed, and what kernels work in.
    struct LeafSums {
        let panels: Range<Int>
        /// Of those panels.
        let weights: Floats
        /// Of all output channels; it is zero before.
        let bias: Floats
        /// Whether the leaf's sum is added to the weights; else these are replaced. By Winograd's algorithm alone, where
        /// it costs nothing; with others they are zero before.
        let adds: Bool
        /// Of the weights as Winograd's algorithm adds them, transformed; nil where it does not.
        let transformed: Floats?
        let tiles: Floats
        let kernel: Numbers
        /// Inputs and gradients of a group of images in single precision, where Winograd's kernels read such copies.
        let inputs, maps: Floats
        /// Whether the images are the leaf's first, and its last.
        var isFirst = true
        var isLast = true

        func part(isFirst: Bool, isLast: Bool) -> LeafSums {
            var part = self
            (part.isFirst, part.isLast) = (isFirst, isLast)
            return part
        }

        /// What Winograd's kernels want to know.
        func target(_ transformed: Floats) -> vgg_winograd_target {
            vgg_winograd_target(
                panel_begin: panels.lowerBound, panel_end: panels.upperBound, sums: transformed, db: bias,
                start: isFirst ? 1 : 0, dw: isLast ? weights : nil, add: adds ? 1 : 0)
        }
    }

    func makeWeightGradients(_ pass: Pass, _ tasks: GradientTasks, of batch: Batch, andInputs: Bool) {
        let first = pass.node.images.lowerBound
        let sums: Floats = shared(scratch.sums)
        let (weights, bias) = (parameters.gradients[0], parameters.gradients[1])
        let isWhole = tasks.nodes.count == 1
        context.workers.run(tasks.weights) { index, panels, worker in
            let part = sums + index * planned.sumStride
            clearMaps(worker: worker)
            sum(
                tasks.nodes[index], panels, from: first, of: batch,
                to: (isWhole ? weights : part) + panels.lowerBound * panelStride,
                bias: isWhole ? bias : part + planned.parameterLayouts[0].count, andInputs: andInputs,
                worker: worker)
        }
        if !isWhole { planned.add(sums, tasks.sum, to: parameters, context) }
    }

    /// Floats of a panel of weights.
    var panelStride: Int { convolution.kernel * convolution.kernel * convolution.inChannels * panel }

    /// A node's sum of some panels.
    /// - Parameter first: the number of the first image in memory.
    private func sum(
        _ node: SumTree, _ panels: Range<Int>, from first: Int, of batch: Batch, to weights: Floats,
        bias: Floats, andInputs: Bool, worker: Int
    ) {
        let isWinograd = choice.weightGradient?.isWinograd == true
        let count = panels.count * panelStride
        let biasCount = planned.parameterLayouts[1].count
        let (moreWeights, biases): (Floats, Floats) = (
            self.worker(worker, scratch.waitingWeights), self.worker(worker, scratch.waitingBiases)
        )
        // The sums that wait, the oldest where the node's will be.
        func waiting(_ place: Int) -> Floats {
            place == 0 ? weights : moreWeights + (place - 1) * count
        }
        func waitingBias(_ place: Int) -> Floats { biases + place * biasCount }

        var depth = 0
        var start = node.images.lowerBound - first
        for leaf in node.leaves {
            let adds = isWinograd && leaf.additions > 0
            let target = waiting(adds ? depth - 1 : depth)
            if !isWinograd { target.update(repeating: 0, count: count) }
            waitingBias(depth).update(repeating: 0, count: biasCount)
            let sums = LeafSums(
                panels: panels, weights: target, bias: waitingBias(depth), adds: adds,
                transformed: isWinograd ? self.worker(worker, scratch.transformedSums) : nil,
                tiles: self.worker(worker, scratch.tiles), kernel: self.worker(worker, scratch.kernel),
                inputs: self.worker(worker, scratch.singleInputs),
                maps: self.worker(worker, scratch.singleMaps))
            makeGradients(
                start..<start + leaf.count, of: batch, to: sums, andInputs: andInputs, worker: worker)
            start += leaf.count
            for addition in 0..<leaf.additions {
                if !(adds && addition == 0) {
                    context.kernels.add(waiting(depth), waiting(depth - 1), count)
                }
                context.kernels.add(waitingBias(depth), waitingBias(depth - 1), biasCount)
                depth -= 1
            }
            depth += 1
        }
        let channels = panels.lowerBound * panel..<panels.upperBound * panel
        (bias + channels.lowerBound).update(from: biases + channels.lowerBound, count: channels.count)
    }
}

extension LaidOutStep {
    /// Floats of a node's gradients of weights and bias.
    var sumStride: Int { summedLayouts.map(\.count).reduce(0, +) }

    /// Of weights and bias; a fused batch norm has sums of its own.
    private var summedLayouts: ArraySlice<ParameterLayout> { parameterLayouts.prefix(2) }

    /// Adds the nodes' sums to the step's gradients.
    fileprivate func add(
        _ sums: Floats, _ leaves: [SumTree.Leaf], to parameters: BoundParameters, _ context: StepContext
    ) {
        var offset = 0
        for (layout, total) in zip(summedLayouts, parameters.gradients) {
            context.workers.run(over: layout.count, grain: 4096) { range, _ in
                context.kernels.sum(
                    sums + offset + range.lowerBound, stride: sumStride, leaves, to: total + range.lowerBound,
                    count: range.count)
            }
            offset += layout.count
        }
    }
}
