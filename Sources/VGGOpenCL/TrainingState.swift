import VGGEngine
import VGGModel

/// An update, as the kernels know it.
struct KernelUpdate: PlainArgument {
    var learningRate, weightDecay, keep, share, nesterov, shrink, squareKeep, squareShare, correction: Float
    var epsilon, averageShare: Float

    init(_ numbers: UpdateNumbers) {
        learningRate = numbers.learningRate
        weightDecay = numbers.weightDecay
        (keep, share) = (numbers.keep, numbers.share)
        nesterov = numbers.nesterov ? 1 : 0
        shrink = numbers.shrink
        (squareKeep, squareShare) = (numbers.squareKeep, numbers.squareShare)
        (correction, epsilon) = (numbers.correction, numbers.epsilon)
        averageShare = numbers.averageShare ?? 0
    }

    /// None.
    init() {
        (learningRate, weightDecay, keep, share, nesterov) = (0, 0, 0, 0, 0)
        (shrink, squareKeep, squareShare, correction, epsilon, averageShare) = (1, 0, 0, 0, 1, 0)
    }
}

/// What a training keeps for its parameters: gradients, and what the optimiser remembers of them. Memory that not every
/// training needs is reserved when it is first needed; a plan's memory counts it.
final class TrainingState {
    /// Numbers like those of the parameters, or of their first part.
    private final class Numbers {
        let buffer: OpenCLBuffer
        let parts: [OpenCLBuffer?]

        /// - Parameter range: of the buffer of all parameters.
        init(_ range: Range<Int>, _ places: ParameterPlaces, _ queue: OpenCLQueue) throws(PlanError) {
            let buffer = try OpenCLBuffer(bytes: range.count * 4, queue.context, queue)
            self.buffer = buffer
            parts = zip(places.offsets, places.counts).map { offset, count in
                range.contains(offset)
                    ? OpenCLBuffer(buffer, offset: (offset - range.lowerBound) * 4, bytes: count * 4) : nil
            }
        }
    }

    private let plan: Plan
    private let weights: OpenCLWeights
    private let queue: OpenCLQueue
    private var places: ParameterPlaces { weights.places }
    /// Of what is updated after the backward pass, and of the weights of linear layers where their gradients are stored.
    private let gradients: Numbers
    private lazy var linearGradients = numbers(places.updatedAfterwards..<places.trained)
    private lazy var momentum = numbers(0..<places.trained)
    private lazy var squares = numbers(0..<places.trained)
    private lazy var average = numbers(0..<places.total)
    /// Which of them were ever used.
    private var (hasMomentum, hasSquares) = (false, false)

    init(_ plan: Plan, _ weights: OpenCLWeights, _ queue: OpenCLQueue) throws(PlanError) {
        self.plan = plan
        self.weights = weights
        self.queue = queue
        gradients = try Numbers(0..<weights.places.updatedAfterwards, weights.places, queue)
    }

    private func numbers(_ range: Range<Int>) -> Numbers? {
        do throws(PlanError) { return try Numbers(range, places, queue) } catch {
            queue.fail("\(error)")
            return nil
        }
    }

    func gradient(_ parameter: Int) -> OpenCLBuffer? {
        gradients.parts[parameter] ?? linearGradients?.parts[parameter]
    }

    /// What is kept of a parameter; nil for its value, and where there is none.
    func buffer(_ content: ParameterContent, of parameter: Int) -> OpenCLBuffer? {
        switch content {
        case .value: return nil
        case .gradient: return gradient(parameter)
        case .momentum:
            hasMomentum = true
            return momentum?.parts[parameter]
        case .secondMoment:
            hasSquares = true
            return squares?.parts[parameter]
        case .average: return average?.parts[parameter]
        }
    }

    /// How an update changes one parameter.
    func update(_ update: ParameterUpdate, of parameter: Int) -> (
        numbers: KernelUpdate, momentum: OpenCLBuffer?, squares: OpenCLBuffer?, average: OpenCLBuffer?
    ) {
        let numbers = UpdateNumbers(update, plan.parameters[parameter].group)
        return (
            KernelUpdate(numbers), numbers.hasMomentum ? buffer(.momentum, of: parameter) : nil,
            numbers.hasSquares ? buffer(.secondMoment, of: parameter) : nil,
            numbers.averageShare != nil ? buffer(.average, of: parameter) : nil
        )
    }

    /// Updates all parameters but those that the pass has updated.
    func update(_ update: ParameterUpdate, after pass: Pass) {
        for part in places.parts where pass.update == nil || !part.isUpdatedAtOnce {
            let numbers = UpdateNumbers(update, part.group)
            if numbers.hasMomentum { hasMomentum = true }
            if numbers.hasSquares { hasSquares = true }
            guard let gradients = part.isUpdatedAtOnce ? linearGradients : gradients else { return }
            let first = part.isUpdatedAtOnce ? places.updatedAfterwards : 0
            queue.numbers(
                "update", part.range.count, KernelUpdate(numbers), UInt64(part.range.lowerBound),
                UInt64(part.range.lowerBound - first), UInt64(part.range.count), gradients.buffer,
                weights.values, numbers.hasMomentum ? momentum?.buffer : nil,
                numbers.hasSquares ? squares?.buffer : nil,
                numbers.averageShare != nil ? average?.buffer : nil)
        }
        guard let share = update.averageShare, let average else { return }
        // Running statistics are averaged like weights.
        for (index, parameter) in plan.parameters.enumerated()
        where !parameter.isTrained && plan.steps[parameter.step].mode == .training {
            queue.numbers(
                "move_average", places.counts[index], Float(share), UInt64(places.offsets[index]),
                UInt64(places.counts[index]), weights.values, average.buffer)
        }
    }

    func clear() {
        if hasMomentum, let momentum { _ = queue.clear(momentum.buffer) }
        if hasSquares, let squares { _ = queue.clear(squares.buffer) }
    }

    func beginAverage() {
        if let average { queue.copy(weights.values, to: average.buffer) }
    }

    func exchangeAverage() {
        guard let average else { return }
        queue.numbers("exchange", places.total, UInt64(places.total), weights.values, average.buffer)
    }

    /// Makes all gradients shorter where together they are too long. Sums of their squares, no more than fit into `scratch`, are
    /// all that comes to the host.
    func clipGradients(to maxNorm: Float, _ scratch: OpenCLBuffer) -> Double {
        let rest = places.trained - places.updatedAfterwards
        var all = [(buffer: gradients.buffer, count: places.updatedAfterwards)]
        if rest > 0, let linearGradients { all.append((linearGradients.buffer, rest)) }
        let squares = all.reduce(0.0) { sum, numbers in
            let parts = SumParts(numbers.count, groups: 1, wanted: SumParts.most, least: 1024)
            queue.sums(
                "sum_of_squares", parts.count, 1, UInt64(numbers.count), Int32(parts.chunk), numbers.buffer,
                scratch)
            return queue.read(parts.count, from: scratch).reduce(sum) { $0 + Double($1) }
        }
        let norm = squares.squareRoot()
        if let factor = GradientClipping.factor(norm: norm, maxNorm: maxNorm) {
            for (buffer, count) in all { queue.numbers("scale", count, UInt64(count), factor, buffer) }
        }
        return norm
    }

    /// All gradients in a row, and what they are replaced by.
    func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        let (first, rest) = (places.updatedAfterwards, places.trained - places.updatedAfterwards)
        var numbers = queue.read(first, from: gradients.buffer)
        if rest > 0, let linearGradients { numbers += queue.read(rest, from: linearGradients.buffer) }
        var span = numbers.mutableSpan
        try body(&span)
        queue.write(Array(numbers.prefix(first)), to: gradients.buffer)
        if rest > 0, let linearGradients {
            queue.write(Array(numbers.dropFirst(first)), to: linearGradients.buffer)
        }
    }
}
