import VGGModel

/// Where time went in a pass: to a step of the plan, or to `input`, `loss` or `update`.
public struct StepTime: Hashable, Sendable {
    /// torchvision's name of the step's first layer, and of the last where there are more.
    public var name: String
    /// The class names of the step's layers.
    public var kind: String
    /// Of the forward pass; of `input` and `loss` all.
    public var forwardSeconds = 0.0
    /// Of the backward pass; of `update` all.
    public var backwardSeconds = 0.0
    /// Multiply-accumulates per image, forward and backward, counted as those of direct convolution.
    public var multiplyAccumulates = 0
}

/// Times the parts of a pass: each from the end of the one before it.
struct StepTimer {
    enum Part {
        case input
        case forward(Int)
        case loss
        case backward(Int)
        case update
    }

    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant
    /// Where the parts are written down one by one, too.
    private let timeline: Timeline?
    /// The input, the plan's steps, the loss and the update.
    private(set) var times: [StepTime]

    init(_ plan: Plan, writingTo timeline: Timeline? = nil) {
        self.timeline = timeline
        let isTraining = plan.mode == .training
        times = [StepTime(name: "input", kind: "")] + plan.steps.map { StepTime($0, of: plan) }
        if isTraining { times += [StepTime(name: "loss", kind: ""), StepTime(name: "update", kind: "")] }
        last = clock.now
    }

    mutating func lap(_ part: Part) {
        let now = clock.now
        let seconds = (now - last) / .seconds(1)
        timeline?.add(name(of: part), on: .computing, from: last, to: now)
        last = now
        switch part {
        case .input: times[0].forwardSeconds += seconds
        case .forward(let step): times[step + 1].forwardSeconds += seconds
        case .loss: times[times.count - 2].forwardSeconds += seconds
        case .backward(let step): times[step + 1].backwardSeconds += seconds
        case .update: times[times.count - 1].backwardSeconds += seconds
        }
    }

    /// Begins a part that is written down: what came since the one before was not this executor's.
    mutating func begin() {
        if timeline != nil { last = clock.now }
    }

    private func name(of part: Part) -> String {
        switch part {
        case .input: "input"
        case .forward(let step): "forward \(times[step + 1].name)"
        case .loss: "loss"
        case .backward(let step): "backward \(times[step + 1].name)"
        case .update: "update"
        }
    }
}

extension StepTime {
    fileprivate init(_ step: PlannedStep, of plan: Plan) {
        self.init(name: step.name(in: plan.network), kind: step.kind(in: plan.network))
        let forward = plan.network.layers[step.layers].map(\.multiplyAccumulates).reduce(0, +)
        // As many again for the gradient of the weights, and for that of the input.
        let passes = step.mode == .inference ? 1 : step.needsInputGradient ? 3 : 2
        multiplyAccumulates = forward * passes
    }
}

extension Executor {
    /// Ends a part, if anybody wants to know its time.
    func lap(_ part: StepTimer.Part) {
        guard stepTimer != nil else { return }
        bound.finish()
        stepTimer?.lap(part)
    }

    /// From now on writes the parts of every pass down; nil ends that.
    package func write(to timeline: Timeline?) {
        stepTimer = timeline.map { StepTimer(plan, writingTo: $0) }
    }

    /// What `body` does with this executor, and where its time went, in the order of the plan.
    public func timed<Result>(_ body: () -> Result) -> (result: Result, times: [StepTime]) {
        stepTimer = StepTimer(plan)
        defer { stepTimer = nil }
        let result = body()
        bound.finish()
        return (result, stepTimer?.times ?? [])
    }
}
