import Foundation
import VGGEngine

/// What a training's loss does while its learning rate grows from step to step, and the rate that this suggests (Smith 2017,
/// "Cyclical learning rates", section 3.3; smoothing, end and rules are fastai's `lr_find`).
public struct LearningRateTest: Hashable, Sendable, Codable {
    /// What is tried.
    public struct Plan: Hashable, Sendable, Codable {
        /// The rates of the first step and of that after the last, between which they grow by equal factors.
        public var least = 1e-7
        /// The rate after the last step.
        public var greatest = 10.0
        /// How many rates are tried.
        public var steps = 100

        /// From 1e-7 to 10 in 100 steps, as fastai's.
        public init() {}

        /// The rate of a step, counted from 0.
        public func rate(at step: Int) -> Double {
            least * pow(greatest / least, Double(step) / Double(steps))
        }

        /// - Throws: `TrainingError.invalidSetting` for numbers that make no sense.
        package func validate() throws(TrainingError) {
            guard Float(least) > 0, least < greatest, Float(greatest).isFinite else {
                throw .invalidSetting(
                    .lrFindRange,
                    reason: "must be two rates above 0 in single precision, the greater one last, not "
                        + "\(least),\(greatest)")
            }
            if let reason = (20...10_000).objection(to: steps) {
                throw .invalidSetting(.lrFindSteps, reason: reason)
            }
        }
    }

    /// A rate that was tried.
    public struct Point: Hashable, Sendable, Codable {
        /// Of the step.
        public var learningRate: Double
        /// The mean loss of the step's examples, before its update.
        public var loss: Double
        /// The average of the losses so far, of which each counts 0.98 times the next one.
        public var smoothedLoss: Double
    }

    /// How a rate is chosen. Neither looks at the first tenth of the steps that were planned, nor at the last five that were made.
    public enum Rule: String, Hashable, Sendable, Codable, CaseIterable {
        /// In the middle of the longest fall of the smoothed loss (its longest subsequence in which each is less than the one
        /// before).
        case valley
        /// Where the smoothed loss falls most from one step to the next.
        case steepest
    }

    /// What is tried.
    public let plan: Plan
    /// What was seen so far.
    public private(set) var points: [Point] = []
    /// Whether the smoothed loss became four times its least, or no number, which ends the test.
    public private(set) var diverged = false
    private var average = 0.0

    private static let smoothing = 0.98
    private static let divergence = 4.0

    /// A test of which nothing is known yet.
    public init(_ plan: Plan = Plan()) { self.plan = plan }

    /// Whether there is nothing more to try.
    public var isFinished: Bool { diverged || points.count >= plan.steps }

    /// The rate of the next step.
    public var nextRate: Double { plan.rate(at: points.count) }

    /// Adds the loss of the step at the next rate.
    public mutating func add(_ loss: Double) {
        average = Self.smoothing * average + (1 - Self.smoothing) * loss
        let smoothed = average / (1 - pow(Self.smoothing, Double(points.count + 1)))
        let least = points.lazy.map(\.smoothedLoss).min()
        points.append(Point(learningRate: nextRate, loss: loss, smoothedLoss: smoothed))
        diverged = !(smoothed <= Self.divergence * (least ?? .infinity))
    }

    /// - Returns: nil where too few steps were made to tell.
    public func suggestion(by rule: Rule) -> Double? {
        let counted = Array(points.dropFirst(plan.steps / 10).dropLast(5))
        guard counted.count > 1 else { return nil }
        let losses = counted.map(\.smoothedLoss)
        let place =
            switch rule {
            case .valley: Self.middleOfLongestFall(losses)
            // Rates grow by equal factors, so that the differences are the slopes over their logarithms.
            case .steepest:
                losses.indices.dropLast().min { Self.rise(losses, $0) < Self.rise(losses, $1) } ?? 0
            }
        return counted[place].learningRate
    }

    private static func rise(_ losses: [Double], _ place: Int) -> Double { losses[place + 1] - losses[place] }

    /// fastai's `valley`: half-way through the middle third.
    private static func middleOfLongestFall(_ losses: [Double]) -> Int {
        // How long the longest fall is that ends there.
        var lengths = Array(repeating: 1, count: losses.count)
        var end = 0
        for place in losses.indices {
            for earlier in 0..<place where losses[place] < losses[earlier] {
                lengths[place] = max(lengths[place], lengths[earlier] + 1)
            }
            if lengths[place] > lengths[end] { end = place }
        }
        let start = end - lengths[end]
        let third = Double(end - start) / 3
        return max(0, start + Int(third) + Int(third / 2))
    }
}

extension Trainer {
    /// Makes a few steps of the training at rates from small to large, and keeps nothing. Where there are rates of their own,
    /// such as the head's, they stay in proportion; schedules and warm-up have no say.
    /// - Parameters:
    ///   - report: called with each point, on the calling thread.
    ///   - shouldStop: asked before each step.
    /// - Throws: what making a trainer throws, or `FileError` for a photo that cannot be read.
    public static func testLearningRates(
        _ setup: consuming TrainingSetup, _ plan: LearningRateTest.Plan = LearningRateTest.Plan(),
        report: (LearningRateTest.Point) -> Void = { _ in }, shouldStop: () -> Bool = { false }
    ) throws -> LearningRateTest {
        let trainer = try Trainer(setup)
        let usual = trainer.configuration.optimizer
        var test = LearningRateTest(plan)
        var batches = trainer.trainingBatches()
        while !test.isFinished, !shouldStop() {
            guard let first = batches.next() else {
                trainer.state.epoch += 1
                trainer.state.stepInEpoch = 0
                batches = trainer.trainingBatches()
                continue
            }
            var optimizer = usual
            optimizer.learningRate = Float(test.nextRate)
            optimizer.headLearningRate = usual.headRateRatio.map { Float(test.nextRate * $0) }
            // The next rate follows from what this one gave.
            func tell(_: Trainer.StepUnderWay, _ gave: BatchMetrics) {
                test.add(gave.meanLoss)
                if let point = test.points.last { report(point) }
            }
            try trainer.beginStep(
                trainer.wholeStep(first, batches), by: optimizer, endingLast: tell)
            try trainer.endStep(tell)
        }
        return test
    }
}
