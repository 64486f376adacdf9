import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGPictures
import VGGTestSupport
import VGGTraining

@Suite struct LearningRateTestTests {
    /// What fastai makes of losses; see Scripts/goldens/rates.py.
    struct Golden: Decodable, Sendable {
        let steps: Int
        let least: Double
        let greatest: Double
        let losses: [Double]
        let smoothed: [Double]
        let diverged: Bool
        let valley: Double
        let steepest: Double

        static let all: [Golden] = {
            let url = Bundle.module.url(forResource: "rates", withExtension: "json", subdirectory: "Goldens")
            return try! JSONDecoder().decode([Golden].self, from: Data(contentsOf: url!))
        }()
    }

    private func trying(_ least: Double, _ greatest: Double, _ steps: Int) -> LearningRateTest.Plan {
        var plan = LearningRateTest.Plan()
        (plan.least, plan.greatest, plan.steps) = (least, greatest, steps)
        return plan
    }

    @Test(arguments: Golden.all) func isFastais(golden: Golden) throws {
        var test = LearningRateTest(trying(golden.least, golden.greatest, golden.steps))
        for loss in golden.losses {
            #expect(!test.isFinished)
            test.add(loss)
        }
        #expect(test.isFinished && test.diverged == golden.diverged)
        expectClose(test.points.map(\.smoothedLoss), golden.smoothed, tolerance: 1e-12, absolute: 0, "losses")
        let suggested = try LearningRateTest.Rule.allCases.map { try #require(test.suggestion(by: $0)) }
        expectClose(suggested, [golden.valley, golden.steepest], tolerance: 1e-12, absolute: 0, "rates")
    }

    @Test func endsAtALossThatIsNoNumber() {
        var test = LearningRateTest(trying(1e-4, 1, 40))
        for step in 0..<20 { test.add(2 - Double(step) / 20) }
        test.add(.nan)
        #expect(test.isFinished && test.diverged && test.points.count == 21)
        #expect(test.suggestion(by: .steepest) != nil)
    }

    @Test func suggestsNothingAfterTooFewSteps() {
        var test = LearningRateTest(trying(1e-4, 1, 40))
        for _ in 0..<10 { test.add(1) }
        for rule in LearningRateTest.Rule.allCases { #expect(test.suggestion(by: rule) == nil) }
    }

    /// Steps at these rates by the executor itself, over the end of an epoch, with a head of another rate.
    @Test func stepsAreTheTrainings() throws {
        var configuration = smallConfiguration()
        configuration.optimizer.headLearningRate = 0.03
        configuration.schedule = changingSchedule()
        let plan = trying(1e-3, 1, 24)
        let setup = try TrainingSetup(
            configuration, training: stripes(count: 44), test: stripes(count: 20), device: .cpu(threads: 2))
        var reported: [LearningRateTest.Point] = []
        let test = try Trainer.testLearningRates(setup, plan) { reported.append($0) }
        #expect(reported == test.points && !test.points.isEmpty)

        let executor = try Executor(
            plan: Plan(
                configuration.model.network(size: 8), batchSize: 8, mode: .training,
                precision: configuration.precision), device: .cpu(threads: 2))
        executor.initialize(configuration.initialization, seed: configuration.seed)
        var losses: [Double] = []
        for epoch in 0... {
            let batches = BatchLoader(
                setup.training, setup.testPreparation, batchSize: 8,
                order: .shuffled(seed: configuration.seed, epoch: epoch))
            for images in batches.lazy.compactMap(\.images) where losses.count < test.points.count {
                var optimizer = configuration.optimizer
                let step = losses.count
                optimizer.learningRate = Float(plan.rate(at: step))
                optimizer.headLearningRate = Float(
                    plan.rate(at: step) * Double(Float(0.03)) / Double(Float(0.01)))
                losses.append(
                    executor.trainingStep(images, optimizer: optimizer, seed: configuration.seed, step: step)
                        .meanLoss)
            }
            if losses.count == test.points.count { break }
        }
        #expect(test.points.map(\.loss) == losses)
        #expect(test.points.count > 6, "it ends within the first epoch")
    }

    @Test func isDrawnOverPowersOfTen() {
        var test = LearningRateTest(trying(1e-5, 1, 50))
        for step in 0..<50 { test.add(2.3 - 2 / (1 + exp(Double(30 - step) / 3))) }
        let chart = LineChart(test, title: "title")
        #expect(chart.series.map(\.name) == ["loss", "valley", "steepest"])
        let svg = chart.svg()
        for label in ["1e-5", "0.01", "0.1", "learning rate"] {
            #expect(svg.contains(">\(label)<"), "\(label)")
        }
        #expect(chart.terminalText(width: 79, height: 16).contains("0.001"))
    }

    @Test func refusesRatesThatMakeNoSense() {
        for plan in [
            trying(0, 1, 100), trying(1, 1, 100), trying(1e-3, .infinity, 100), trying(1e-3, 1, 19),
            trying(1e-60, 1, 100), trying(1e-7, 1e307, 100),
        ] {
            #expect(throws: TrainingError.self) { try plan.validate() }
        }
    }
}
