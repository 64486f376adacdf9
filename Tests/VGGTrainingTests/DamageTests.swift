import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// Run folders on disks that lose or change bytes, or are full.
@Suite struct DamageTests {
    /// `smallConfiguration` with a classifier whose file is soon written.
    private func tinyConfiguration() -> TrainingConfiguration {
        var configuration = smallConfiguration()
        configuration.model.hiddenFeatures = [16]
        return configuration
    }

    private func finished(_ folder: borrowing TemporaryFolder) throws -> RunFolder {
        let run = folder.run("a run")
        _ = try trainer(tinyConfiguration(), folder: run).run()
        return run
    }

    private func damage(_ path: String, _ change: (inout Data) throws -> Void) throws {
        let url = URL(fileURLWithPath: path)
        var bytes = try Data(contentsOf: url)
        try change(&bytes)
        // The old file may be mapped.
        try bytes.write(to: url, options: .atomic)
    }

    private func problem<Result>(_ body: () throws -> Result) throws -> String {
        "\(try #require(throws: (any Error).self) { try body() })"
    }

    /// One bit of a weight, of a momentum, and of a figure in the state; numbers that have become zeros.
    @Test(arguments: ["features.0.weight", "momentum.features.4.weight", "state", "zeros"])
    func noDamageIsTrainedOn(_ place: String) throws {
        let folder = try TemporaryFolder()
        let run = try finished(folder)
        let header = try SafetensorsHeader(contentsOf: run.checkpointPath)
        try damage(run.checkpointPath) { bytes in
            switch place {
            case "state": bytes[try #require(bytes.firstRange(of: Data("loss_sum".utf8))).upperBound + 3] ^= 1
            case "zeros":
                let tensor = try #require(header.tensors.max { $0.bytes.count < $1.bytes.count })
                bytes.resetBytes(in: tensor.bytes)
            default:
                let tensor = try #require(header.tensors.first { $0.name == place })
                bytes[tensor.bytes.upperBound - 2] ^= 0x10
            }
        }
        let problem = try problem { try trainer(tinyConfiguration(), folder: run, resuming: true) }
        #expect(problem.hasPrefix("\(run.checkpointPath): is damaged: the checksum of its content is "))
        #expect(
            problem.hasSuffix(
                "; put back a copy of it, or start a new run from the weights beside it: "
                    + "vgg train `initialWeights` '\(run.path)' \(options)"))
        // With the model damaged too, nothing is promised.
        try damage(run.modelPath) { $0[$0.count - 2] ^= 1 }
        let worse = try self.problem { try trainer(tinyConfiguration(), folder: run, resuming: true) }
        #expect(worse.hasSuffix("; put back a copy of it"))
    }

    /// What `tinyConfiguration` has otherwise than usual, but for the network.
    private let options =
        "`data` stripes `epochs` 2 `learningRate` 0.01 `momentum` 0.9 `nesterov` `weightDecay` 0.0001 `batchSize` 8 `seed` 5"

    /// The run may have been killed, or the disk have filled up, between the two files.
    @Test(arguments: ["missing", "older", "damaged"]) func theModelIsWrittenAgain(_ how: String) throws {
        let folder = try TemporaryFolder()
        let run = folder.run("a run")
        var configuration = tinyConfiguration()
        configuration.epochs = 1
        _ = try trainer(configuration, folder: run).run()
        let older = try run.bytes(\.modelPath)
        configuration.epochs = 2
        _ = try trainer(configuration, folder: run, resuming: true).run()
        let whole = try run.bytes(\.modelPath)
        #expect(whole != older)
        switch how {
        case "missing": try FileManager.default.removeItem(atPath: run.modelPath)
        case "older": try older.write(to: URL(fileURLWithPath: run.modelPath), options: .atomic)
        default: try damage(run.modelPath) { $0[$0.count - 2] ^= 1 }
        }
        _ = try trainer(configuration, folder: run, resuming: true).run()
        #expect(try run.bytes(\.modelPath) == whole)
    }

    @Test func aPictureThatCannotBeReplacedCostsNoWeights() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        let trainer = try trainer(tinyConfiguration(), folder: run)
        try FileManager.default.createDirectory(atPath: run.curvesPNGPath, withIntermediateDirectories: false)
        let problem = try problem { try trainer.run() }
        #expect(
            problem.contains(
                "curves.png: cannot be written: it is a folder; when it can be, go on from the last"))
        #expect(try TrainedModel(runOrWeights: run.path).stored?.size == 8)
    }

    @Test func noDamagedModelPredicts() throws {
        let folder = try TemporaryFolder()
        let run = try finished(folder)
        let whole = try TrainedModel(runOrWeights: run.path).weights
        try damage(run.modelPath) { $0[$0.count - 2] ^= 1 }
        let problem = try problem { try TrainedModel(runOrWeights: run.path) }
        #expect(problem.hasPrefix("\(run.modelPath): is damaged: "))
        #expect(problem.hasSuffix("; the weights of its last checkpoint are in '\(run.checkpointPath)'"))
        #expect(try TrainedModel(runOrWeights: run.checkpointPath).weights == whole)
        #expect(try self.problem { try TrainedModel(runOrWeights: run.modelPath) }.contains("vgg.crc32"))
    }

    /// Weights say themselves what they are; only what the run was tested on is lost.
    @Test func aDamagedConfigurationCostsNoWeights() throws {
        let folder = try TemporaryFolder()
        let run = try finished(folder)
        let stored = try TrainedModel(runOrWeights: run.path).stored
        try Data("{".utf8).write(to: URL(fileURLWithPath: run.configurationPath))
        let model = try TrainedModel(runOrWeights: run.path)
        #expect(model.stored == stored && stored != nil)
        let problem = try problem { try RunData(of: model) }
        #expect(problem.hasSuffix("; what its weights are is also in '\(run.modelPath)'"))
    }

    /// A checksum is of the content: a program that writes the same in another order leaves it true.
    @Test func aChecksumDoesNotDependOnTheOrder() throws {
        let folder = try TemporaryFolder()
        let path = folder.url("a.safetensors").path
        let tensors: NamedTensors = [
            "b": Tensor(shape: [2], values: [1, 2]), "a": Tensor(shape: [1], values: [3]),
        ]
        try Safetensors(tensors: tensors, metadata: ["of": "x"]).write(to: path, checksummed: true)
        let digits = try #require(SafetensorsHeader(contentsOf: path).metadata["vgg.crc32"])
        // zlib.crc32(b"of\0x\0" b"a\0F32\0" b"1\0" + struct.pack("<f", 3) + b"b\0F32\0" b"2\0" + struct.pack("<2f", 1, 2))
        #expect(digits == "0ffe1a36")
        let other =
            #"{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
            + #""a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
            + #""__metadata__":{"vgg.crc32":"\#(digits)","of":"x"}}"#
        var file = Data()
        withUnsafeBytes(of: UInt64(other.utf8.count).littleEndian) { file.append(contentsOf: $0) }
        file.append(contentsOf: other.utf8)
        for value: Float in [1, 2, 3] { withUnsafeBytes(of: value) { file.append(contentsOf: $0) } }
        try file.write(to: folder.url("b.safetensors"))
        let read = try Safetensors(contentsOf: folder.url("b.safetensors").path)
        #expect(read.tensors["a"]?.values == [3] && read.metadata == ["of": "x"])
    }

    @Test(arguments: ["{\"event\":\"epoch\",\"ep", "\0\0\0\0\0\0", "\u{FF}"])
    func aDamagedLastLineIsCut(_ end: String) throws {
        let folder = try TemporaryFolder()
        let run = try finished(folder)
        let records = try run.readMetrics()
        let last = records.count + 1
        // The last text stands for a byte that is no UTF-8.
        try damage(run.metricsPath) { $0 += end == "\u{FF}" ? Data([0xFF]) : Data(end.utf8) }
        let trainer = try trainer(tinyConfiguration(), folder: run, resuming: true)
        #expect(trainer.remarks == ["\(run.metricsPath): line \(last) was damaged and is cut out"])
        #expect(try run.readMetrics() == records)
        #expect(try run.readMetricLines().damaged.isEmpty)
    }

    @Test func aLostLineIsCutToo() throws {
        let folder = try TemporaryFolder()
        let run = try finished(folder)
        let records = try run.readMetrics()
        try damage(run.metricsPath) { $0[0] = 0 }
        let trainer = try trainer(tinyConfiguration(), folder: run, resuming: true)
        #expect(trainer.remarks == ["\(run.metricsPath): line 1 was damaged and is cut out"])
        #expect(try run.readMetrics() == Array(records.dropFirst()))
    }

    @Test func spaceIsLookedForFirst() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        let network = try tinyConfiguration().model.network(size: 8)
        let saved = RunFolder.SavedBytes(network, beside: 100_000)
        #expect(saved.checkpoint == saved.model + 400_000)
        let needed = saved.model + 2 * saved.checkpoint + 1 << 18
        try run.checkSpace(for: saved, free: nil)
        try run.checkSpace(for: saved, free: needed)
        let problem = try problem { try run.checkSpace(for: saved, free: needed - 1) }
        #expect(problem.hasPrefix("\(run.path): saving this training takes "))
        #expect(problem.hasSuffix("choose a `folder` elsewhere"))
        // What is there already will be replaced.
        let done = try finished(folder)
        let there = try done.bytes(\.modelPath).count + done.bytes(\.checkpointPath).count
        try done.checkSpace(for: saved, free: needed - there)
        #expect(throws: (any Error).self) { try done.checkSpace(for: saved, free: needed - there - 1) }
        #expect(FreeDisk.bytes(at: "\(folder.path)/not/there/yet") ?? 0 > 0)
    }

    @Test func aDivergedRunNamesAWayOn() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        var configuration = tinyConfiguration()
        configuration.epochs = 1
        _ = try trainer(configuration, folder: run).run()
        // As if the rate had been too high: the last good weights lead to numbers that are none.
        var checkpoint = try Safetensors(contentsOf: run.checkpointPath)
        let name = "momentum.features.0.weight"
        let momentum = try #require(checkpoint.tensors[name])
        checkpoint.tensors[name] = Tensor(
            shape: momentum.shape, values: Array(repeating: 3e38, count: momentum.values.count))
        try checkpoint.write(to: run.checkpointPath, checksummed: true)
        configuration.epochs = 2
        let problem = try problem { try trainer(configuration, folder: run, resuming: true).run() }
        let way =
            "a new run from the last good weights: vgg train `initialWeights` \(run.path) "
            + options.replacing("`learningRate` 0.01", with: "`learningRate` 0.001")
        #expect(problem.contains("diverged in epoch 2") && problem.hasSuffix(way))
        #expect(run.readDiagnosis() != nil)

        let again = try trainer(configuration, folder: run, resuming: true)
        #expect(again.remarks.count == 1)
        #expect(again.remarks.first?.contains("diverged in epoch 2") == true)
        #expect(again.remarks.first?.hasSuffix(way) == true)
        #expect(run.readDiagnosis() == nil)

        // Weights that could not be tested are no way on.
        let lines = try String(decoding: run.bytes(\.metricsPath), as: UTF8.self)
        try folder.write(
            Array(lines.replacing(/"test_loss":[0-9.e-]+/, with: "\"test_loss\":\"nan\"").utf8),
            to: "run/metrics.jsonl")
        let hopeless = try self.problem { try again.run() }
        #expect(hopeless.contains("diverged") && !hopeless.contains("a new run"))
    }

    /// What is found when an epoch has ended is of that epoch.
    @Test func divergesInTheEpochThatItEnds() throws {
        var configuration = tinyConfiguration()
        (configuration.epochs, configuration.optimizer.learningRate) = (3, 3e38)
        let problem = try problem {
            try trainer(configuration, folder: TemporaryFolder().run("run")).run()
        }
        #expect(problem.contains("diverged in epoch 1,"), "\(problem)")
    }
}
