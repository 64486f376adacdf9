import VGGModel

/// What a training keeps beside the weights from one update to the next.
public struct OptimizerState: Hashable, Sendable {
    /// Updates since it began.
    public var updates: Int
    /// SGD's momentum, or Adam's average of the gradients, of every trained tensor; empty where there is none.
    public var momentum: [String: Tensor]
    /// Adam's average of the gradients' squares, of every trained tensor; empty where there is none.
    public var secondMoment: [String: Tensor]
    /// The average of all tensors, running statistics included; empty where there is none.
    public var average: [String: Tensor]

    /// The state of an optimiser that has done `updates` updates.
    public init(
        updates: Int = 0, momentum: [String: Tensor] = [:], secondMoment: [String: Tensor] = [:],
        average: [String: Tensor] = [:]
    ) {
        self.updates = updates
        self.momentum = momentum
        self.secondMoment = secondMoment
        self.average = average
    }
}

extension Executor {
    /// What the optimiser keeps, and the average of the weights.
    public var optimizerState: OptimizerState {
        OptimizerState(
            updates: updates, momentum: hasMomentum ? tensors(.momentum, where: \.isTrained) : [:],
            secondMoment: hasSecondMoment ? tensors(.secondMoment, where: \.isTrained) : [:],
            average: hasAverage ? tensors(.average) { _ in true } : [:])
    }

    /// Replaces it.
    /// - Throws: `WeightsError` that names the tensor at fault; then it is in no known state.
    public func load(_ state: OptimizerState) throws(WeightsError) {
        clearState()
        if !state.momentum.isEmpty {
            try replace(.momentum, by: state.momentum, where: \.isTrained)
            hasMomentum = true
        }
        if !state.secondMoment.isEmpty {
            try replace(.secondMoment, by: state.secondMoment, where: \.isTrained)
            hasSecondMoment = true
        }
        if !state.average.isEmpty {
            try replace(.average, by: state.average) { _ in true }
            hasAverage = true
        }
        updates = state.updates
    }

    /// Calls `body` while the average of the weights is in their place; if none is kept, with the weights.
    public func withAverage<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard hasAverage else { return try body() }
        bound.exchangeAverage()
        defer { bound.exchangeAverage() }
        return try body()
    }

    /// An average begins as what the weights are.
    func beginAverage() {
        bound.beginAverage()
        hasAverage = true
    }

    func clearState() {
        if hasMomentum || hasSecondMoment { bound.clearState() }
        (updates, hasMomentum, hasSecondMoment, hasAverage) = (0, false, false, false)
    }
}
