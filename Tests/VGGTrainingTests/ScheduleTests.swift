import Foundation
import Testing
import VGGEngine
import VGGTestSupport
import VGGTraining

/// Against timm and torch; see Scripts/goldens/schedules.py.
@Suite struct ScheduleTests {
    struct Goldens: Decodable, Sendable {
        struct Schedule: Decodable, Sendable {
            let shape: String
            let epochs: Int
            let rates: [Double]
            let warmupEpochs: Int?
            let warmupLr: Double?
            let minLr: Double?
            let decayEpochs: Double?
            let decayMilestones: [Int]?
            let decayRate: Double?
            let rise: Double?
        }

        struct Plateau: Decodable, Sendable {
            let figures: [Double]
            let rates: [Double]
            let patienceEpochs: Int
            let warmupEpochs: Int?
            let warmupLr: Double?
            let minLr: Double?
            let decayRate: Double?
        }

        struct HeadPlateau: Decodable, Sendable {
            let figures: [Double]
            /// Where each group's rate begins.
            let groups: [Float]
            let rates: [[Double]]
            let patienceEpochs: Int
            let warmupEpochs: Int?
            let warmupLr: Double?
            let minLr: Double?
            let decayRate: Double?
        }

        struct Average: Decodable, Sendable {
            let decay: Double
            let warmup: Bool
            let steps: [Int]
            let decays: [Double]
        }

        let rate: Double
        let updatesPerEpoch: Int
        let schedules: [Schedule]
        let plateaus: [Plateau]
        let headPlateaus: [HeadPlateau]
        let averages: [Average]

        static let all: Goldens = {
            let url = Bundle.module.url(
                forResource: "schedules", withExtension: "json", subdirectory: "Goldens")
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try! decoder.decode(Goldens.self, from: Data(contentsOf: url!))
        }()
    }

    @Test(arguments: Goldens.all.schedules) func ratesAreTimmsAndTorchs(golden: Goldens.Schedule) throws {
        let factor = golden.decayRate ?? 0.1
        let shape: LearningRateSchedule.Shape =
            switch golden.shape {
            case "constant": .constant
            case "cosine": .cosine(minimum: golden.minLr ?? 0)
            case "step": .step(epochs: try #require(golden.decayEpochs), factor: factor)
            case "multistep": .multistep(epochs: try #require(golden.decayMilestones), factor: factor)
            default: .oneCycle(rise: try #require(golden.rise))
            }
        let schedule = LearningRateSchedule(
            shape, rate: Goldens.all.rate, epochs: golden.epochs,
            updatesPerEpoch: Goldens.all.updatesPerEpoch, warmupEpochs: golden.warmupEpochs ?? 0,
            warmupRate: golden.warmupLr ?? 1e-5)
        let rates = golden.rates.indices.map(schedule.rate)
        // Of the largest rate: at its end a cosine is a difference of nearly equal numbers.
        expectClose(rates, golden.rates, tolerance: 1e-13, absolute: 0, "\(golden.shape)")
        #expect(Set(rates).count > 1 || golden.shape == "constant")
    }

    @Test func aCycleOfOneUpdateHasARate() {
        for rise in [0.3, 1] {
            let schedule = LearningRateSchedule(.oneCycle(rise: rise), rate: 1, epochs: 1, updatesPerEpoch: 1)
            expectClose([schedule.rate(at: 0)], [1 / 25e4], tolerance: 1e-9, "one update")
        }
    }

    @Test(arguments: Goldens.all.plateaus) func plateausAreTimms(golden: Goldens.Plateau) throws {
        var plateau = PlateauRate(
            rate: Goldens.all.rate, patience: golden.patienceEpochs, factor: golden.decayRate ?? 0.1,
            minimum: golden.minLr ?? 0,
            warmupEpochs: golden.warmupEpochs ?? 0, warmupRate: golden.warmupLr ?? 1e-5)
        var rates = [plateau.rate]
        for (epoch, figure) in golden.figures.enumerated() {
            plateau.finish(epoch: epoch, figure: figure)
            rates.append(plateau.rate)
            // As a checkpoint keeps it.
            plateau = try JSONDecoder().decode(PlateauRate.self, from: JSONEncoder().encode(plateau))
        }
        expectClose(rates, golden.rates, tolerance: 1e-13, absolute: 0, "patience \(golden.patienceEpochs)")
        #expect(Set(rates).count > 1)
    }

    @Test(arguments: Goldens.all.headPlateaus) func aHeadHasItsOwnPlateau(golden: Goldens.HeadPlateau) throws
    {
        var configuration = TrainingConfiguration()
        configuration.schedule = ScheduleSettings()
        configuration.optimizer.learningRate = golden.groups[0]
        configuration.optimizer.headLearningRate = golden.groups[1]
        var plateaus = golden.groups.map { rate in
            PlateauRate(
                rate: Double(rate), patience: golden.patienceEpochs, factor: golden.decayRate ?? 0.1,
                minimum: golden.minLr ?? 0,
                warmupEpochs: golden.warmupEpochs ?? 0, warmupRate: golden.warmupLr ?? 1e-5)
        }
        var rates: [[Double]] = [[], []]
        for epoch in 0...golden.figures.count {
            let optimizer = configuration.optimizer(
                at: epoch, stepsPerEpoch: 1, plateau: plateaus[0], headPlateau: plateaus[1])
            rates[0].append(Double(optimizer.learningRate))
            rates[1].append(Double(try #require(optimizer.headLearningRate)))
            guard epoch < golden.figures.count else { continue }
            for group in 0..<2 { plateaus[group].finish(epoch: epoch, figure: golden.figures[epoch]) }
        }
        for group in 0..<2 {
            expectClose(rates[group], golden.rates[group], tolerance: 1e-6, absolute: 0, "group \(group)")
        }
        #expect(Set(golden.rates[1]).count > 1)
        // A run of an earlier version has one memory for both.
        let half = PlateauRate(rate: Double(golden.groups[0]) / 2)
        let old = configuration.optimizer(at: 0, stepsPerEpoch: 1, plateau: half).headLearningRate
        #expect(try abs(#require(old) - golden.groups[1] / 2) < 1e-7)
    }

    @Test func notANumberIsNotBetter() {
        var plateau = PlateauRate(rate: 1, patience: 1)
        for epoch in 0..<2 { plateau.finish(epoch: epoch, figure: .nan) }
        #expect(plateau.best == nil && plateau.rate == 0.1)
        plateau.finish(epoch: 2, figure: 0.5)
        plateau.finish(epoch: 3, figure: .nan)
        #expect(plateau.best == 0.5 && plateau.badEpochs == 1)
    }

    @Test(arguments: Goldens.all.averages) func averagesAreTimms(golden: Goldens.Average) {
        let average = WeightAverage(decay: golden.decay, usesWarmup: golden.warmup)
        expectClose(
            golden.steps.map(average.decay), golden.decays, tolerance: 1e-14, absolute: 0, "\(golden.decay)")
    }
}
