import VGGModel

/// What a device is: how plans run there. All layouts, algorithms, memory and threads are a backend's own.
package protocol Backend: Sendable {
    var properties: DeviceProperties { get }

    /// Threads of the processor that work for it.
    var threads: Int { get }
    /// What computes: an instruction set, or the name of a chip.
    var kernels: String { get }
    var preferredPrecision: Precision { get }

    /// The precision that trains a network faster.
    func trainingPrecision(of network: Network) -> Precision

    /// Bytes that are free now; nil if nobody knows.
    var freeMemory: Int? { get }

    /// Floating-point operations a second at most.
    func measuredPeak(_ precision: Precision) -> Double

    /// Bytes a second, read and written together, at which it copies what no cache holds.
    func measuredBandwidth() -> Double

    /// Whether it has such a step. The processor has them all.
    func runs(_ step: PlannedStep) -> Bool

    func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory
    func steps(of plan: Plan) -> [StepDescription]

    /// Reserves the plan's memory.
    /// - Throws: `PlanError.outOfMemory`, or `.device` if the device cannot run anything.
    func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan

    /// The same for the weights of another bound plan for inference, which must have been made by this backend of the same
    /// plan.
    func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan
}

extension Backend {
    package func trainingPrecision(of network: Network) -> Precision { preferredPrecision }
    package func runs(_ step: PlannedStep) -> Bool { true }
}

/// The weights of a plan for inference in all forms that a device's kernels read. Nobody changes them any more.
package protocol SharedWeights: AnyObject, Sendable {}

/// What of a parameter is read or written.
package enum ParameterContent: Sendable {
    case value
    /// Of the last batch's mean loss; of trained parameters only.
    case gradient
    /// The optimiser's averages of gradients and of their squares; of trained parameters only.
    case momentum, secondMoment
    /// The average of the values that is kept beside them.
    case average
}

/// A plan in a device's memory: parameters and one batch. Steps and parameters are numbered as in the plan.
///
/// The `Executor` decides what is called when, and has checked all sizes and numbers before. Nobody else calls.
package protocol BoundPlan: AnyObject {
    /// Takes a batch.
    func write(_ images: ImageBatch)

    /// Makes the step's output from the output of the step before.
    func forward(_ step: Int, _ pass: Pass)

    /// What the logits, the last step's output, say for the labels of the pass's images, which are those of the batch that was
    /// written, and of what they are mixed with. For training, leaves the gradient of the batch's mean loss with respect to the
    /// logits.
    func loss(labels: [Int32], partners: [MixingPartner]?, _ pass: Pass) -> PendingMetrics

    /// Sets, or adds to, the gradient of a step's output for a batch. Of a plan for the gradient of its input.
    /// - Parameter numbers: [count, channels, height, width].
    func writeGradient(_ numbers: [Float], of step: Int, count: Int, adding: Bool)

    /// What a step has made, multiplied with itself: of each image the products of every two channels, summed over the
    /// pixels.
    /// - Returns: [count, channels, channels].
    func gram(of step: Int, channels: Int, count: Int) -> [Float]

    /// Sets, or adds to, the gradient of a step's output: the products of matrices and the output. Of a plan for the
    /// gradient of its input.
    /// - Parameter matrices: [count, channels, channels], symmetric.
    func writeGradient(
        multiplying matrices: [Float], of step: Int, channels: Int, count: Int, adding: Bool)

    /// A step's output, to be compared with that of other images: each channel times a factor.
    /// - Parameters:
    ///   - factors: one a channel.
    ///   - isNormalized: each pixel is divided by its length first, which is the root of its channels' squares and 1e-10.
    /// - Returns: [count, numbers of an image], these in an order of the device's own.
    func scaledOutput(of step: Int, by factors: [Float], isNormalized: Bool, count: Int) -> [Float]

    /// Of each two images that follow each other the sum of the squared differences of what `scaledOutput` makes of them.
    func squaredDistances(of step: Int, by factors: [Float], isNormalized: Bool, count: Int) -> [Double]

    /// Makes the gradients of the step's parameters, and of its input where the plan needs it, from that of its output.
    /// With an update, parameters may be updated as soon as their gradients are made, without storing these.
    func backward(_ step: Int, _ pass: Pass)

    /// Calls `body` with the gradients of all trained parameters of the last backward pass without an update, in
    /// an order and with gaps of the device's own, the same for every plan of the same kind.
    func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure)

    /// Where in these numbers the gradients are that are complete after the backward pass of a step; of few numbers they need
    /// not be named. Empty where the device keeps them elsewhere.
    func gradientsMade(by step: Int) -> [Range<Int>]

    /// Makes the gradients of that pass shorter where their Euclidean norm is more than `maxNorm` (`GradientClipping`).
    /// - Returns: the norm before.
    func clipGradients(to maxNorm: Float) -> Double

    /// Updates all trained parameters by their gradients.
    /// - Parameter pass: the last backward pass; what it has updated itself is left out.
    func update(_ update: ParameterUpdate, after pass: Pass)

    /// - Returns: a batch's output of a step that has just run, in PyTorch's order: [count, channels, height, width].
    func output(of step: Int, count: Int) -> [Float]

    /// - Parameter step: nil for the network's input, in a plan for its gradient.
    /// - Returns: the same of the output's gradient, after the backward pass of the step behind it.
    func gradient(of step: Int?, count: Int) -> [Float]

    /// - Returns: a parameter's numbers in PyTorch's order.
    func read(_ content: ParameterContent, of parameter: Int) -> [Float]

    /// - Parameter tensor: has the parameter's shape.
    func write(_ tensor: Tensor, to content: ParameterContent, of parameter: Int)

    /// Makes all forms of the weights that inference reads, and gives them away. They are not written again.
    func shareWeights() -> any SharedWeights

    /// Sets what the optimiser keeps of the gradients to zero.
    func clearState()

    /// Makes the average of the parameters what they are.
    func beginAverage()

    /// Exchanges the parameters with their average.
    func exchangeAverage()

    /// Waits until everything that was called is done: a device may go on while its calls have returned.
    func finish()

    /// What has gone wrong on the device since the plan was bound. From then on what is read of it is
    /// not a number.
    var failure: DeviceError? { get }
}

extension BoundPlan {
    package func gradientsMade(by step: Int) -> [Range<Int>] { [] }

    package func clipGradients(to maxNorm: Float) -> Double {
        var norm = 0.0
        withGradients { gradients in norm = GradientClipping.clip(&gradients, to: maxNorm) }
        return norm
    }

    package func gram(of step: Int, channels: Int, count: Int) -> [Float] {
        ChannelProducts(output(of: step, count: count), channels: channels, count: count).gram
    }

    package func writeGradient(
        multiplying matrices: [Float], of step: Int, channels: Int, count: Int, adding: Bool
    ) {
        let products = ChannelProducts(output(of: step, count: count), channels: channels, count: count)
        writeGradient(products.multiplied(by: matrices), of: step, count: count, adding: adding)
    }

    package func squaredDistances(
        of step: Int, by factors: [Float], isNormalized: Bool, count: Int
    ) -> [Double] {
        let scaled = scaledOutput(of: step, by: factors, isNormalized: isNormalized, count: count)
        let size = scaled.count / max(1, count)
        return (0..<count / 2).map { pair in
            (0..<size).reduce(0) { sum, place in
                let difference = scaled[2 * pair * size + place] - scaled[(2 * pair + 1) * size + place]
                return sum + Double(difference * difference)
            }
        }
    }

    package func scaledOutput(
        of step: Int, by factors: [Float], isNormalized: Bool, count: Int
    ) -> [Float] {
        ChannelProducts(output(of: step, count: count), channels: factors.count, count: count)
            .scaled(by: factors, isNormalized: isNormalized)
    }

    package func finish() {}
    package var failure: DeviceError? { nil }
}

/// Those that a batch is shared out among, as a step asks them that needs sums over the whole batch before it can go on.
package protocol BatchExchange: AnyObject {
    /// Replaces numbers of this part of the batch by those of the whole, which all parts get. What goes wrong is found later:
    /// a pass cannot fail.
    /// - Parameter combine: makes, of the numbers of a node's first and second half, those of the node, in place of the first.
    func combine(
        _ numbers: inout [Double], of node: SumTree,
        by combine: (_ first: inout [Double], _ second: [Double]) -> Void)

    /// Some gradients are complete, and nobody touches them before all are exchanged.
    /// - Parameters:
    ///   - ranges: which, of `gradients`; the same in the same order for all parts.
    ///   - gradients: as `BoundPlan.withGradients` has them, where they stay.
    func gradientsAreMade(
        _ ranges: [Range<Int>], of gradients: UnsafeMutableBufferPointer<Float>, _ node: SumTree)
}

/// One pass over a batch, or over a node of the tree that everything is summed along.
package struct Pass {
    package let node: SumTree
    /// A backward pass will follow: batch statistics and dropout, instead of running statistics and none, and what it reads
    /// is kept.
    package let isTraining: Bool
    /// Chooses the dropout masks together with `step`.
    package var seed: UInt64 = 0
    package var step: Int = 0
    /// Given where parameters may be updated as soon as their gradients are made.
    package var update: ParameterUpdate?
    package var loss = CrossEntropy()
    /// The others that the batch is shared out among; nil where a part of a batch is taken for itself.
    package var exchange: (any BatchExchange)?

    package init(
        _ node: SumTree, isTraining: Bool, seed: UInt64 = 0, step: Int = 0, update: ParameterUpdate? = nil,
        loss: CrossEntropy = CrossEntropy(), exchange: (any BatchExchange)? = nil
    ) {
        self.node = node
        self.isTraining = isTraining
        self.seed = seed
        self.step = step
        self.update = update
        self.loss = loss
        self.exchange = exchange
    }

    /// Images that are run.
    package var count: Int { node.images.count }

    /// What the pass's images gave, along the tree that everything is summed along.
    /// - Parameter results: each image's loss, and whether its largest logit is its label's.
    package func metrics(_ results: [(loss: Double, isCorrect: Bool)], labels: [Int32]) -> BatchMetrics {
        let (first, (leaves, sum)) = (node.images.lowerBound, node.nodes(node.leafCount))
        var sums = leaves.map { $0.images.reduce(0) { $0 + results[$1 - first].loss } }
        SumTree.forEachAddition(in: sum) { sums[$0] += sums[$1] }
        let lossSum =
            loss.batchWeight == nil
            ? loss.sum(sums[0], of: labels.count, loss.scale(of: labels, in: node)) : sums[0]
        return BatchMetrics(
            lossSum: lossSum, correct: results.count(where: \.isCorrect), count: labels.count)
    }
}
