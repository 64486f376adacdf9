import Foundation
import Testing
import VGGCPU
import VGGData
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

@Suite struct TrainerTests {
    /// The names of the events, equal neighbours as one.
    private func names(_ events: [TrainingEvent]) -> [String] {
        events.reduce(into: []) { names, event in
            let name =
                switch event {
                case .started: "started"
                case .step: "step"
                case .testing: "testing"
                case .epoch: "epoch"
                case .checkpoint: "checkpoint"
                case .diagnosis: "diagnosis"
                case .interrupted: "interrupted"
                case .finished: "finished"
                }
            if names.last != name { names.append(name) }
        }
    }

    @Test func reportsEventsInOrderAndLearns() throws {
        var configuration = smallConfiguration()
        configuration.epochs = 6
        var events: [TrainingEvent] = []
        let summary = try #require(try trainer(configuration).run { events.append($0) })
        #expect(
            names(events.filter { if case .diagnosis = $0 { false } else { true } })
                == ["started"] + Array(repeating: ["step", "testing", "epoch"], count: 6).joined()
                + ["finished"])
        #expect(summary.epochs == 6 && summary.steps == 36)
        #expect(summary.testAcc > 0.8 && summary.trainLoss < 0.7)
        #expect(summary.examplesPerSec >= summary.wallExamplesPerSec)
        guard case .started(let start) = events.first else {
            Issue.record("the first event is no start")
            return
        }
        #expect(start.stepsPerEpoch == 6 && start.trainExamples == 44 && start.memory.total > 0)
    }

    /// The figures of an epoch are means over its examples as they were in training, as `train_ch6` has them.
    @Test func epochFiguresAreRunningMeans() throws {
        var last: StepMetrics?
        var epochs: [EpochMetrics] = []
        _ = try trainer(smallConfiguration()).run { event in
            if case .step(let step) = event { last = step }
            if case .epoch(let epoch) = event {
                #expect(epoch.trainLoss == last?.trainLoss && epoch.trainAcc == last?.trainAcc)
                #expect((epoch.trainAcc * 44).rounded() / 44 == epoch.trainAcc)
                epochs.append(epoch)
            }
        }
        #expect(epochs.map(\.step) == [6, 12])
    }

    @Test func keepsARunFolder() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        let configuration = smallConfiguration()
        var events: [TrainingEvent] = []
        _ = try trainer(configuration, folder: run).run { events.append($0) }
        // What is said to be done is on the disk.
        #expect(
            names(events.filter { if case .diagnosis = $0 { false } else { true } })
                == ["started"]
                + Array(repeating: ["step", "testing", "checkpoint", "epoch"], count: 2).joined()
                + ["finished"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: run.path).sorted() == [
                "checkpoint.safetensors", "config.json", "curves.png", "curves.svg", "metrics.jsonl",
                "model.safetensors",
            ])
        #expect(try run.readConfiguration() == configuration)
        let metrics = try run.readMetrics()
        #expect(metrics.map(\.step) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        let network = try configuration.model.network(size: configuration.size)
        let model = try TrainedModel(runOrWeights: run.modelPath)
        #expect(Set(model.weights.names) == Set(network.parameters.map(\.name)))
        #expect(model.stored == StoredModel(configuration))
        #expect(try TrainedModel(runOrWeights: run.checkpointPath).weights == model.weights)

        // Where another program has written the weights anew, without a word, the run knows what they belong to.
        try Safetensors(tensors: model.weights).write(to: run.modelPath)
        let again = try TrainedModel(runOrWeights: run.path)
        #expect(again.stored == model.stored && !again.isRecognized)
    }

    @Test func threadsDoNotChangeTheResult() throws {
        let folder = try TemporaryFolder()
        let (one, two) = (folder.run("one"), folder.run("two"))
        _ = try trainer(smallConfiguration(), folder: one, threads: 1).run()
        _ = try trainer(smallConfiguration(), folder: two, threads: 2).run()
        #expect(try one.tensors() == two.tensors())
        #expect(try one.bytes(\.modelPath) == two.bytes(\.modelPath))
    }

    @Test func stopsWhenTheLossIsNoNumberAndKeepsTheLastCheckpoint() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        var configuration = smallConfiguration()
        configuration.epochs = 1
        _ = try trainer(configuration, folder: run).run()
        let before = try run.bytes(\.checkpointPath)

        configuration.epochs = 3
        configuration.optimizer.learningRate = 1e30
        // The same run with a hopeless learning rate, as if it had been started with it.
        let text = try String(contentsOfFile: run.configurationPath, encoding: .utf8)
        try text.replacing("0.01", with: "1e30").write(
            toFile: run.configurationPath, atomically: true, encoding: .utf8)
        var diagnosis: Diagnosis?
        let error = #expect(throws: TrainingError.self) {
            _ = try trainer(configuration, folder: run, resuming: true).run { event in
                if case .diagnosis(let found) = event { diagnosis = found }
            }
        }
        #expect(error == diagnosis.map(TrainingError.diverged))
        #expect(diagnosis?.problem == .diverged && diagnosis?.epoch == 2)
        #expect(error.map { "\($0)".contains("`learningRate`") } == true)
        #expect(try run.bytes(\.checkpointPath) == before)
    }

    @Test func warnsWhenNothingIsLearnt() throws {
        var configuration = smallConfiguration()
        configuration.epochs = 1
        configuration.optimizer.learningRate = 1e-12
        configuration.model.arch = "vgg11"
        var diagnosis: Diagnosis?
        let summary = try trainer(configuration).run { event in
            if case .diagnosis(let found) = event { diagnosis = found }
        }
        #expect(summary != nil)
        #expect(diagnosis?.problem == .atChance)
        #expect(diagnosis?.advice.contains { $0.contains("vgg11_bn") } == true)
    }

    /// Loss in units of ln(classes), the loss of guessing.
    @Test(
        arguments: [
            (0.9, 1.0, nil), (0.98, 1.0, .atChance), (1.04, 1.0, .atChance), (1.2, 1.2, nil),
            (1.6, 1.6, .exploding), (1e9, .nan, .exploding), (1.6, 0.5, nil),
        ] as [(Double, Double, Diagnosis.Problem?)])
    func diagnosesAnEpochByItsLoss(_ train: Double, _ test: Double, _ problem: Diagnosis.Problem?) throws {
        let configuration = smallConfiguration()
        let loss = ["train_loss": train * log(4), "test_loss": test * log(4)]
        let rest = ["epoch", "step", "train_acc", "test_acc", "examples_per_sec", "wall_examples_per_sec"]
        let members = loss.merging(rest.map { ($0, 0) }) { $1 }.merging(["seconds": 0]) { $1 }
        let epoch = try JSONText.decode(EpochMetrics.self, from: JSONText.line(members))
        let diagnosis = Diagnosis.afterEpoch(
            epoch, of: try configuration.model.network(size: 8),
            learningRate: configuration.optimizer.learningRate)
        #expect(diagnosis?.problem == problem)
        if problem == .exploding {
            #expect(diagnosis?.advice.first?.contains("lower `learningRate`") == true)
        }
    }

    @Test func refusesDataThatDoNotFit() throws {
        var configuration = smallConfiguration()
        configuration.model.classes = 3
        #expect(throws: TrainingError.self) { try trainer(configuration) }
        configuration.model.classes = 4
        configuration.model.inChannels = 3
        #expect(throws: TrainingError.self) { try trainer(configuration) }
    }

    @Test func estimatesWithoutKeepingAnything() throws {
        let setup = try TrainingSetup(
            smallConfiguration(), training: stripes(count: 44), test: stripes(count: 20),
            device: .cpu(threads: 2))
        let estimate = try Trainer.estimate(setup, limit: .zero)
        #expect(estimate.steps == 12 && estimate.epochs == 2)
        #expect(estimate.seconds > 12 * estimate.secondsPerStep && estimate.secondsPerTest > 0)
        #expect(estimate.loadedExamplesPerSec > 0 && estimate.loadedExamplesPerSec.isFinite)
    }
}
