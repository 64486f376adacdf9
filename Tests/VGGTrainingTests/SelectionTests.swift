import Foundation
import Testing
import VGGCPU
import VGGData
import VGGFiles
import VGGFormats
import VGGInference
import VGGTestSupport
import VGGTraining

/// Which epoch a training ends with, and what it is chosen by.
@Suite struct SelectionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Stripes under wrong names: the better a network knows the right ones, the higher is its loss here, so that the
    /// best epoch comes early.
    private func misnamed() -> ImageDataset {
        let right = stripes(count: 24)
        return ImageDataset(
            name: right.name, images: right.images, labels: (0..<24).map { UInt16($0 / 4 % 4) },
            classNames: right.classNames)
    }

    private func configuration(_ epochs: Int, keep: KeptWeights? = .best) -> TrainingConfiguration {
        var configuration = smallConfiguration()
        configuration.model.hiddenFeatures = [16]
        configuration.epochs = epochs
        configuration.keep = keep
        return configuration
    }

    private func trainer(
        _ configuration: TrainingConfiguration, _ name: String, resuming: Bool = false
    ) throws -> Trainer {
        try Trainer(
            TrainingSetup(
                configuration, training: stripes(count: 44), test: stripes(count: 20), validation: misnamed(),
                device: .cpu(threads: 2), folder: folder.run(name), resuming: resuming))
    }

    private func epochs(_ run: RunFolder) throws -> [EpochMetrics] {
        try run.readMetrics().compactMap { if case .epoch(let figures) = $0 { figures } else { nil } }
    }

    /// Another way to say it than the trainer's: the highest accuracy, then the lowest loss, then the first.
    private func best(_ figures: [EpochMetrics]) throws -> EpochMetrics {
        let accuracy = try #require(figures.compactMap(\.valAcc).max())
        let candidates = figures.filter { $0.valAcc == accuracy }
        let loss = try #require(candidates.compactMap(\.valLoss).min())
        return try #require(candidates.first { $0.valLoss == loss })
    }

    /// A finished run that keeps its best epoch, which is not its last, and that epoch's figures.
    private func finished() throws -> (run: RunFolder, best: EpochMetrics, summary: TrainingSummary) {
        let summary = try #require(try trainer(configuration(6), "whole").run())
        let best = try best(epochs(folder.run("whole")))
        try #require(best.epoch < 6, "the last epoch is the best, and nothing is shown")
        return (folder.run("whole"), best, summary)
    }

    @Test func theModelIsOfTheBestEpoch() throws {
        let (run, best, summary) = try finished()
        #expect(summary.best == best && summary.epochs == 6)
        let model = try TrainedModel(runOrWeights: run.path)
        #expect(
            model.epoch
                == TrainedEpoch(
                    epoch: best.epoch, step: 6 * best.epoch, chosenBy: .valAcc, accuracy: best.valAcc))
        // A run that ends there has the same weights; the checkpoint has those of the end.
        _ = try trainer(configuration(best.epoch, keep: nil), "short").run()
        let short = try TrainedModel(runOrWeights: folder.run("short").path)
        #expect(short.weights == model.weights)
        #expect(short.epoch == TrainedEpoch(epoch: best.epoch, step: 6 * best.epoch))
        _ = try trainer(configuration(6, keep: nil), "long").run()
        #expect(try folder.run("long").tensors() == run.tensors())
        #expect(try TrainedModel(runOrWeights: run.checkpointPath).weights != model.weights)
    }

    /// What is said of the images kept for validation is what a test of them says, and the test has no say.
    @Test func figuresAreOfTheImagesKept() throws {
        let (run, best, _) = try finished()
        #expect(best.valAcc != best.testAcc && best.selectionAcc == best.valAcc)
        let model = try TrainedModel(runOrWeights: run.path)
        let executor = try model.executor(
            for: configuration(6).model.network(size: 8), batchSize: 8, foldsBatchNorm: false,
            device: .cpu(threads: 2))
        let data = misnamed()
        let result = try executor.evaluate(
            BatchLoader(data, data.preparation(try .plain(8, channels: .grey)), batchSize: 8))
        #expect(result?.meanLoss == best.valLoss && result?.accuracy == best.valAcc)
    }

    /// Within the first epoch, right after an epoch, before a test, and within a later epoch.
    @Test(arguments: [3, 6, 12, 20]) func goesOnWithTheBestSoFar(_ steps: Int) throws {
        let (whole, _, expected) = try finished()
        var done = 0
        #expect(
            try trainer(configuration(6), "stopped").run { event in
                if case .step = event { done += 1 }
            } shouldStop: {
                done >= steps
            } == nil)
        let summary = try trainer(configuration(6), "stopped", resuming: true).run()
        let stopped = folder.run("stopped")
        #expect(try stopped.bytes(\.modelPath) == whole.bytes(\.modelPath))
        #expect(try stopped.tensors() == whole.tensors() && summary?.best?.epoch == expected.best?.epoch)
    }

    /// The run may have been killed between the checkpoint of its best epoch and the model.
    @Test(arguments: [true, false]) func theBestModelIsMadeOfItsCheckpoint(_ hasOlder: Bool) throws {
        let (whole, best, _) = try finished()
        let run = folder.run("killed")
        if hasOlder {
            var other = configuration(1, keep: nil)
            other.seed += 1
            _ = try trainer(other, "older").run()
        }
        _ = try trainer(configuration(best.epoch), "killed").run()
        try FileManager.default.removeItem(atPath: run.modelPath)
        if hasOlder {
            try FileManager.default.copyItem(atPath: folder.run("older").modelPath, toPath: run.modelPath)
        }
        let resumed = try trainer(configuration(6), "killed", resuming: true)
        #expect(resumed.remarks.isEmpty)
        _ = try resumed.run()
        #expect(try run.bytes(\.modelPath) == whole.bytes(\.modelPath))
    }

    @Test func lostBestWeightsAreSaidAndReplaced() throws {
        let (run, best, _) = try finished()
        try FileManager.default.removeItem(atPath: run.modelPath)
        let resumed = try trainer(configuration(7), "whole", resuming: true)
        #expect(resumed.remarks.contains { $0.contains("epoch \(best.epoch), the best so far, are gone") })
        #expect(try TrainedModel(runOrWeights: run.path).epoch == TrainedEpoch(epoch: 6, step: 36))
        #expect(try #require(try resumed.run()).best?.epoch == 7)
        #expect(try TrainedModel(runOrWeights: run.path).epoch?.epoch == 7)
    }

    @Test func endsWhenPatienceDoes() throws {
        var configuration = configuration(20, keep: nil)
        configuration.patience = 2
        let summary = try #require(try trainer(configuration, "run").run())
        let best = try best(epochs(folder.run("run")))
        #expect(summary.epochs == best.epoch + 2 && summary.epochs < 20 && summary.best == best)
        // The model is that of the last epoch all the same, and says what ended the training there.
        let last = try #require(try epochs(folder.run("run")).last)
        #expect(
            try TrainedModel(runOrWeights: folder.run("run").path).epoch
                == TrainedEpoch(
                    epoch: summary.epochs, step: last.step, chosenBy: .valAcc, accuracy: last.valAcc))
        let again = try #require(try trainer(configuration, "run", resuming: true).run())
        #expect(again.epochs == summary.epochs)

        // With more of it the run goes on, as one that had it from the start.
        configuration.patience = 3
        let later = try #require(try trainer(configuration, "run", resuming: true).run())
        let whole = try #require(try trainer(configuration, "patient").run())
        #expect(later.epochs == whole.epochs && later.epochs > summary.epochs)
        #expect(try folder.run("run").tensors() == folder.run("patient").tensors())
        #expect(try folder.run("run").bytes(\.modelPath) == folder.run("patient").bytes(\.modelPath))
    }

    /// Patience that is new to a run counts from its best epoch, too.
    @Test func latePatienceKnowsTheEpochsBefore() throws {
        _ = try trainer(configuration(6, keep: nil), "run").run()
        var patient = configuration(20, keep: nil)
        patient.patience = 2
        let summary = try #require(try trainer(patient, "run", resuming: true).run())
        let best = try best(epochs(folder.run("run")))
        #expect(summary.best == best && summary.epochs == max(6, best.epoch + 2))
    }

    /// Where nothing is kept for validation, the test must not take its place unsaid.
    @Test func theTestHasNoSay() throws {
        func setup(_ change: (inout TrainingConfiguration) -> Void) throws -> TrainingSetup {
            var configuration = configuration(2, keep: nil)
            change(&configuration)
            return try TrainingSetup(
                configuration, training: stripes(count: 44), test: stripes(count: 20),
                device: .cpu(threads: 2))
        }
        for (setting, change) in [
            ("`keep` best", { $0.keep = .best }), ("`patience`", { $0.patience = 1 }),
        ] as [(String, (inout TrainingConfiguration) -> Void)] {
            let error = #expect(throws: TrainingError.self) { try setup(change) }
            #expect(error.map { "\($0)".hasPrefix("\(setting) needs images to choose by") } == true)
            #expect(error.map { "\($0)".contains("`validationSplit` 0.1") } == true)
        }
        #expect(try setup { _ in }.remarks.isEmpty)
    }
}
