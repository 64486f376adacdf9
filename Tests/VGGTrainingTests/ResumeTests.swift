import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGTestSupport
import VGGTraining

@Suite struct ResumeTests {
    /// Trains until `steps` of this process are done, then asks to stop.
    private func train(_ trainer: Trainer, stoppingAfter steps: Int) throws -> [TrainingEvent] {
        var events: [TrainingEvent] = []
        var done = 0
        let summary = try trainer.run { event in
            if case .step = event { done += 1 }
            events.append(event)
        } shouldStop: {
            done >= steps
        }
        #expect(summary == nil)
        return events
    }

    /// Everything in the records but times, which no two runs share.
    private func figures(_ run: RunFolder) throws -> [[Double]] {
        try run.readMetrics().map { record in
            switch record {
            case .step(let step):
                [Double(step.epoch), Double(step.step), step.trainLoss, step.trainAcc]
            case .epoch(let epoch):
                [Double(epoch.epoch), Double(epoch.step), epoch.trainLoss, epoch.testLoss, epoch.testAcc]
            }
        }
    }

    /// 3 stops within the first epoch, 6 between its last step and its test, 7 within the second.
    @Test(arguments: [3, 6, 7]) func goesOnAsIfNeverStopped(_ steps: Int) throws {
        let folder = try TemporaryFolder()
        let (whole, stopped) = (folder.run("whole"), folder.run("stopped"))
        let expected = try trainer(smallConfiguration(), folder: whole).run()

        let events = try train(trainer(smallConfiguration(), folder: stopped), stoppingAfter: steps)
        guard case .interrupted(let written) = events.last else {
            Issue.record("the last event is not that of a stop")
            return
        }
        #expect(written.step == steps)
        let summary = try trainer(smallConfiguration(), folder: stopped, resuming: true).run()

        #expect(try stopped.tensors() == whole.tensors())
        #expect(try stopped.bytes(\.modelPath) == whole.bytes(\.modelPath))
        #expect(try figures(stopped) == figures(whole))
        #expect(summary?.trainLoss == expected?.trainLoss && summary?.testAcc == expected?.testAcc)
    }

    /// Earlier versions summed batches in another order: their runs go on, and that is said once.
    @Test func goesOnWithARunOfTheEarlierFormat() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        _ = try train(trainer(smallConfiguration(), folder: run), stoppingAfter: 3)
        let text = try String(contentsOfFile: run.configurationPath, encoding: .utf8)
        let earlier = text.replacing(/"format" *: *2/, with: "\"format\": 1")
        #expect(earlier != text)
        try earlier.write(toFile: run.configurationPath, atomically: true, encoding: .utf8)

        do {
            let resumed = try trainer(smallConfiguration(), folder: run, resuming: true)
            #expect(resumed.remarks.filter { $0.contains("another order") }.count == 1)
            _ = try train(resumed, stoppingAfter: 1)
        }
        #expect(try trainer(smallConfiguration(), folder: run, resuming: true).remarks.isEmpty)
        let later = text.replacing(/"format" *: *2/, with: "\"format\": 3")
        try later.write(toFile: run.configurationPath, atomically: true, encoding: .utf8)
        #expect(throws: FileError.self) { try run.readConfiguration() }
    }

    /// A run says where it was trained; on another device it goes on, and that is said. Of a run that says nothing it was
    /// the processor.
    @Test func goesOnOnAnotherDevice() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        let other = Device(name: "other", CPUBackend(threads: 1, instructionSet: .best))
        var configuration = smallConfiguration()
        configuration.device = nil
        _ = try train(trainer(configuration, folder: run), stoppingAfter: 3)
        #expect(try run.readConfiguration().device == "cpu")
        let text = try String(contentsOfFile: run.configurationPath, encoding: .utf8)
        let before = text.replacing(#/ *"device" *: *"cpu",\n/#, with: "")
        #expect(before != text)
        try before.write(toFile: run.configurationPath, atomically: true, encoding: .utf8)

        let moved = try trainer(configuration, folder: run, resuming: true, device: other)
        #expect(
            moved.remarks == [
                "the run was on cpu and goes on on other: from here on its numbers differ in their last bits from what they "
                    + "would have been there"
            ])
        _ = try train(moved, stoppingAfter: 3)
        #expect(try run.readConfiguration().device == "other")
    }

    /// A changing rate and changed pictures follow from the step and the epoch, on any number of threads.
    @Test(arguments: [3, 7]) func goesOnWithItsRatesAndPictures(_ steps: Int) throws {
        let folder = try TemporaryFolder()
        var configuration = smallConfiguration()
        configuration.schedule = changingSchedule()
        configuration.augmentation = everyAugmentation()
        configuration.mixing = someMixing()
        let (whole, stopped) = (folder.run("whole"), folder.run("stopped"))
        _ = try trainer(configuration, folder: whole).run()
        _ = try train(trainer(configuration, folder: stopped), stoppingAfter: steps)
        _ = try trainer(configuration, folder: stopped, resuming: true, threads: 1).run()
        #expect(try stopped.tensors() == whole.tensors())
        #expect(try figures(stopped) == figures(whole))

        // Each of them makes another training.
        for (name, change) in [
            ("rate", { $0.schedule = nil }), ("pictures", { $0.augmentation = nil }),
            ("mixtures", { $0.mixing = nil }), ("mixtures to the end", { $0.mixing?.mixupOffEpoch = nil }),
        ] as [(String, (inout TrainingConfiguration) -> Void)] {
            var other = configuration
            change(&other)
            _ = try trainer(other, folder: folder.run(name)).run()
            #expect(try folder.run(name).tensors() != whole.tensors(), "\(name)")
        }
    }

    /// The moments of AdamW, the number of its updates and the average are in the checkpoint; the model is the average.
    @Test(arguments: [3, 6, 7]) func goesOnWithItsAverages(_ steps: Int) throws {
        let folder = try TemporaryFolder()
        var configuration = smallConfiguration()
        configuration.optimizer = Optimizer(
            .adamw, learningRate: 0.01, weightDecay: 0.1, average: WeightAverage(decay: 0.7))
        let (whole, stopped) = (folder.run("whole"), folder.run("stopped"))
        let expected = try trainer(configuration, folder: whole).run()
        _ = try train(trainer(configuration, folder: stopped), stoppingAfter: steps)
        let summary = try trainer(configuration, folder: stopped, resuming: true, threads: 1).run()
        #expect(try stopped.tensors() == whole.tensors())
        #expect(try stopped.bytes(\.modelPath) == whole.bytes(\.modelPath))
        #expect(try figures(stopped) == figures(whole))
        #expect(summary?.testAcc == expected?.testAcc)

        // The checkpoint has the model's weights under their own names, and those that are trained beside them.
        let (model, checkpoint) = (
            try Safetensors(contentsOf: whole.modelPath).tensors, try whole.tensors()
        )
        for (name, tensor) in model {
            #expect(checkpoint[name] == tensor)
            #expect(
                checkpoint["trained.\(name)"] != tensor && checkpoint["trained.\(name)"] != nil, "\(name)")
        }
        #expect(checkpoint.names.contains { $0.hasPrefix("second_moment.") })
        #expect(try TrainedModel(runOrWeights: whole.checkpointPath).weights == model)

        // What is tested is the average: without one, the same training is tested otherwise.
        configuration.optimizer.average = nil
        let plain = folder.run("plain")
        _ = try trainer(configuration, folder: plain).run()
        let (averaged, tested) = (try figures(whole), try figures(plain))
        #expect(averaged.map { $0[2] } == tested.map { $0[2] } && averaged != tested)
        let trained = try Safetensors(contentsOf: plain.modelPath).tensors
        for (name, tensor) in trained { #expect(checkpoint["trained.\(name)"] == tensor, "\(name)") }
    }

    /// A rate with a memory, gradients of several batches that are shortened, and weights of classes: a step is an update,
    /// and three are an epoch, the last of 12 examples.
    @Test(arguments: [2, 3, 4]) func goesOnWithItsPlateau(_ steps: Int) throws {
        let folder = try TemporaryFolder()
        var configuration = smallConfiguration()
        configuration.epochs = 3
        (configuration.gradAccumSteps, configuration.clipGrad) = (2, 0.5)
        configuration.classWeights = .named(["first": 2, "third": 0.5])
        var schedule = ScheduleSettings()
        (schedule.sched, schedule.patienceEpochs, schedule.warmupEpochs) = (.plateau, 0, 1)
        schedule.decayRate = 0.01
        configuration.schedule = schedule
        configuration.optimizer.headLearningRate = 2 * configuration.optimizer.learningRate
        let (whole, stopped) = (folder.run("whole"), folder.run("stopped"))
        let summary = try trainer(configuration, folder: whole).run()
        #expect(summary?.steps == 9)
        _ = try train(trainer(configuration, folder: stopped), stoppingAfter: steps)
        _ = try trainer(configuration, folder: stopped, resuming: true, threads: 1).run()
        #expect(try stopped.tensors() == whole.tensors())
        #expect(try figures(stopped) == figures(whole))
        let state = try #require(try Safetensors(contentsOf: whole.checkpointPath).metadata["vgg.state"])
        #expect(state.contains("\"plateau\":{") && state.contains("\"head_plateau\":{"))

        // Each of them makes another training.
        for (name, change) in [
            ("clip", { $0.clipGrad = nil }), ("classes", { $0.classWeights = nil }),
            ("balanced", { $0.classWeights = .balanced }), ("rate", { $0.schedule = nil }),
            // The head's warm-up does not begin at twice the rate.
            ("head", { $0.optimizer.headLearningRate = nil }),
            ("shifts", { $0.optimizer.bnBiasLrScale = 4 }),
        ] as [(String, (inout TrainingConfiguration) -> Void)] {
            var other = configuration
            change(&other)
            _ = try trainer(other, folder: folder.run(name)).run()
            #expect(try folder.run(name).tensors() != whole.tensors(), "\(name)")
        }
    }

    /// Without batch norm, two batches of 4 are one of 8.
    @Test func batchesThatAreAddedUpAreOne() throws {
        let folder = try TemporaryFolder()
        var configuration = smallConfiguration()
        (configuration.model.arch, configuration.model.dropout) = ("vgg11", 0)
        configuration.precision = .fp32
        let (whole, parts) = (folder.run("whole"), folder.run("parts"))
        _ = try trainer(configuration, folder: whole).run()
        (configuration.batchSize, configuration.gradAccumSteps) = (4, 2)
        _ = try trainer(configuration, folder: parts).run()
        let expected = try whole.tensors()
        for (name, tensor) in try parts.tensors() {
            expectClose(tensor.values, try #require(expected[name]).values, tolerance: 1e-4, "\(name)")
        }
        #expect(try figures(parts).map { $0[1] } == figures(whole).map { $0[1] })
    }

    /// The mean over a step is one by the weights of the classes, however the batches share them out.
    @Test func weightsCountThroughAllBatchesOfAStep() throws {
        let folder = try TemporaryFolder()
        var configuration = smallConfiguration()
        (configuration.model.arch, configuration.model.dropout) = ("vgg11", 0)
        configuration.precision = .fp32
        configuration.classWeights = .named(["first": 5, "second": 0.1, "third": 2])
        let (whole, parts) = (folder.run("whole"), folder.run("parts"))
        _ = try trainer(configuration, folder: whole).run()
        (configuration.batchSize, configuration.gradAccumSteps) = (4, 2)
        _ = try trainer(configuration, folder: parts).run()
        let expected = try whole.tensors()
        for (name, tensor) in try parts.tensors() {
            expectClose(tensor.values, try #require(expected[name]).values, tolerance: 1e-4, "\(name)")
        }
        let losses = try [parts, whole].map { run in
            try run.readMetrics().compactMap {
                if case .epoch(let epoch) = $0 { epoch.trainLoss } else { nil }
            }
        }
        expectClose(losses[0], losses[1], tolerance: 1e-5, "losses")
    }

    /// What a killed process has written after its last checkpoint does not count.
    @Test func cutsMetricsBackToTheCheckpoint() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        _ = try train(trainer(smallConfiguration(), folder: run), stoppingAfter: 4)
        let kept = try run.readMetrics()
        #expect(kept.map(\.step) == [1, 2, 3, 4])
        var lines = try kept.map { try JSONText.line($0) }
        guard case .step(var later) = kept[3] else {
            Issue.record("the last record is no step: \(kept[3])")
            return
        }
        for step in 5...7 {
            later.step = step
            lines.append(try JSONText.line(MetricsRecord.step(later)))
        }
        try lines.joined(separator: "\n").write(toFile: run.metricsPath, atomically: true, encoding: .utf8)
        try Data("half".utf8).write(to: URL(fileURLWithPath: run.checkpointPath + ".123.partial"))

        _ = try trainer(smallConfiguration(), folder: run, resuming: true)
        #expect(try run.readMetrics() == kept)
        #expect(!FileManager.default.fileExists(atPath: run.checkpointPath + ".123.partial"))
    }

    @Test func savesWithinAnEpochWhenTimeHasPassed() throws {
        let folder = try TemporaryFolder()
        let trainer = try trainer(smallConfiguration(), folder: folder.run("run"))
        trainer.checkpointInterval = .zero
        var saved: [Int] = []
        _ = try trainer.run { event in
            if case .checkpoint(let written) = event { saved.append(written.step) }
        }
        #expect(saved == [1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 12])
    }

    @Test func startsAgainWithoutACheckpoint() throws {
        let folder = try TemporaryFolder()
        let (whole, killed) = (folder.run("whole"), folder.run("killed"))
        _ = try trainer(smallConfiguration(), folder: whole).run()
        _ = try trainer(smallConfiguration(), folder: killed)
        _ = try trainer(smallConfiguration(), folder: killed, resuming: true).run()
        #expect(try killed.tensors() == whole.tensors())
    }

    @Test func maxStepsAndEpochsMayBeRaised() throws {
        let folder = try TemporaryFolder()
        let (whole, parts) = (folder.run("whole"), folder.run("parts"))
        _ = try trainer(smallConfiguration(), folder: whole).run()

        var configuration = smallConfiguration()
        configuration.maxSteps = 4
        configuration.epochs = 1
        let first = try trainer(configuration, folder: parts).run()
        #expect(first?.steps == 4 && first?.epochs == 0)
        configuration.maxSteps = nil
        configuration.epochs = 2
        let second = try trainer(configuration, folder: parts, resuming: true).run()
        #expect(second?.steps == 12 && second?.epochs == 2)
        #expect(try parts.tensors() == whole.tensors())
        #expect(try parts.readConfiguration() == configuration)
        // A run that is done says so again without another step.
        #expect(try trainer(configuration, folder: parts, resuming: true).run() == second)
    }

    @Test func refusesWhatWouldSpoilARun() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        #expect(throws: NoRunError(folder: run.path)) { try run.readConfiguration() }
        #expect(throws: NoRunError(folder: run.path)) {
            try trainer(smallConfiguration(), folder: run, resuming: true)
        }
        _ = try trainer(smallConfiguration(), folder: run).run()
        #expect(throws: TrainingError.runExists(folder: run.path)) {
            try trainer(smallConfiguration(), folder: run)
        }
        var other = smallConfiguration()
        // With what may change, too.
        (other.seed, other.epochs, other.log) = (6, 4, [.csv])
        #expect(
            throws: TrainingError.conflictingSettings(
                folder: run.path, [SettingConflict(setting: .seed, stored: "5", given: "6")],
                newRun:
                    "vgg train `initialWeights` \(run.path) `data` stripes `epochs` 4 `learningRate` 0.01 `momentum` 0.9 `nesterov` "
                    + "`weightDecay` 0.0001 `batchSize` 8 `seed` 6 `log` csv")
        ) { try trainer(other, folder: run, resuming: true) }
    }

    @Test func keepsAwayFromAFolderInUse() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        let first = try trainer(smallConfiguration(), folder: run)
        let configuration = try run.bytes(\.configurationPath)
        var other = smallConfiguration()
        other.epochs = 7
        for resuming in [false, true] {
            #expect(throws: TrainingError.runInUse(folder: run.path)) {
                try trainer(other, folder: run, resuming: resuming)
            }
        }
        #expect(try run.bytes(\.configurationPath) == configuration)
        // As if the first trainer had taken the folder and not yet written anything.
        try FileManager.default.removeItem(atPath: run.configurationPath)
        #expect(throws: TrainingError.runInUse(folder: run.path)) { try trainer(other, folder: run) }
        #expect(!run.holdsRun)
        withExtendedLifetime(first) {}
    }

    @Test func anInterruptedTrainerGoesOnWithItsTime() throws {
        let trainer = try trainer(smallConfiguration())
        var done = 0
        let clock = ContinuousClock()
        let begin = clock.now
        let stopped = try trainer.run { event in
            if case .step = event {
                done += 1
                usleep(100_000)
            }
        } shouldStop: {
            done >= 3
        }
        #expect(stopped == nil)
        // The pause between the two does not count.
        let pause = clock.now
        usleep(200_000)
        let paused = (clock.now - pause) / .seconds(1)
        let summary = try #require(try trainer.run())
        let whole = (clock.now - begin) / .seconds(1)
        #expect(summary.steps == 12)
        #expect((0.3...whole - paused).contains(summary.seconds))
    }

    @Test func refusesARunWhoseCheckpointIsMissing() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        _ = try trainer(smallConfiguration(), folder: run).run()
        try FileManager.default.removeItem(atPath: run.checkpointPath)
        let metrics = try run.bytes(\.metricsPath)
        let error = TrainingError.noCheckpoint(
            path: run.checkpointPath,
            newRun:
                "vgg train `initialWeights` \(run.path) `data` stripes `epochs` 2 `learningRate` 0.01 `momentum` 0.9 `nesterov` "
                + "`weightDecay` 0.0001 `batchSize` 8 `seed` 5")
        #expect(throws: error) { try trainer(smallConfiguration(), folder: run, resuming: true) }
        #expect(try run.bytes(\.metricsPath) == metrics)
    }

    @Test func refusesToEndBeforeWhatIsDone() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        _ = try trainer(smallConfiguration(), folder: run).run()
        let before = try run.bytes(\.configurationPath)
        var (fewEpochs, fewSteps) = (smallConfiguration(), smallConfiguration())
        fewEpochs.epochs = 1
        fewSteps.maxSteps = 11
        #expect(throws: TrainingError.tooShort(setting: .epochs, done: 2)) {
            try trainer(fewEpochs, folder: run, resuming: true)
        }
        #expect(throws: TrainingError.tooShort(setting: .maxSteps, done: 12)) {
            try trainer(fewSteps, folder: run, resuming: true)
        }
        #expect(try run.bytes(\.configurationPath) == before)
        #expect(
            "\(TrainingError.tooShort(setting: .epochs, done: 3))"
                == "the run has done 3 epochs: `epochs` must be at least 3")
    }

    @Test func refusesADamagedRun() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        _ = try trainer(smallConfiguration(), folder: run).run()
        let size = try run.bytes(\.checkpointPath).count
        try run.bytes(\.checkpointPath).prefix(size / 2).write(to: URL(fileURLWithPath: run.checkpointPath))
        let error = #expect(throws: (any Error).self) {
            try trainer(smallConfiguration(), folder: run, resuming: true)
        }
        #expect(error.map { "\($0)".contains("checkpoint.safetensors") } == true)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: run.configurationPath))
        #expect(throws: (any Error).self) { try run.readConfiguration() }
    }
}
