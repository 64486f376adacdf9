import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGFiles
import VGGFormats
import VGGImages
import VGGInference
import VGGPictures
import VGGTestSupport
import VGGTraining

/// Training on a folder of photos, from the files to a prediction.
@Suite(.enabled(if: ImageFormat.png.isSupported)) struct PhotoTrainingTests {
    let folder: TemporaryFolder
    private let classNames = ["first", "fourth", "second", "third"]

    /// Writes the stripes as PNG files of 16×12 pixels, a folder for each of the four classes.
    init() throws {
        folder = try TemporaryFolder()
        let images = stripes(count: 48)
        for index in 0..<images.count {
            let pixels = Array(try images.images.pixels(at: index).bytes)
            var bitmap = Bitmap(width: 16, height: 12)
            // Two rows on each side are cut off again.
            for y in 0..<12 {
                for x in 0..<16 where (2..<14).contains(x) {
                    let grey = pixels[min(y * 8 / 12, 7) * 8 + (x - 2) * 8 / 12]
                    bitmap[x, y] = Colour(red: grey, green: grey, blue: 255 - grey)
                }
            }
            let name = images.classNames[Int(images.labels[index])]
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/photos/\(name)", withIntermediateDirectories: true)
            try bitmap.pngData().write(to: photo(name, index))
        }
    }

    private func photo(_ className: String, _ index: Int) -> URL {
        URL(fileURLWithPath: "\(folder.path)/photos/\(className)/\(index).png")
    }

    private func paths(_ dataset: ImageDataset) throws -> [String] {
        guard case .files(let photos) = dataset.images else {
            Issue.record("\(dataset.name) has no files")
            return []
        }
        return photos.paths
    }

    private func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in })
        -> TrainingConfiguration
    {
        var configuration = smallConfiguration()
        configuration.data = "folder"
        configuration.dataDirectory = "\(folder.path)/photos"
        configuration.validationSplit = 0.25
        configuration.model.inChannels = 3
        change(&configuration)
        return configuration
    }

    private func trainer(
        _ configuration: TrainingConfiguration, run: RunFolder? = nil, resuming: Bool = false,
        threads: Int = 2
    ) throws -> Trainer {
        let data = try DatasetStore().load(
            "folder", from: configuration.dataDirectory, validation: configuration.validation)
        return try Trainer(
            TrainingSetup(
                configuration, training: data.train, test: data.test, device: .cpu(threads: threads),
                folder: run, resuming: resuming))
    }

    @Test func learnsAndPredictsPhotos() throws {
        let run = folder.run("run")
        let configuration = configuration { $0.epochs = 12 }
        let trainer = try trainer(configuration, run: run)
        #expect(trainer.training.count == 36 && trainer.test.count == 12)
        let summary = try #require(try trainer.run())
        #expect(summary.testAcc > 0.8 && summary.trainLoss < 0.7)

        // Everything that a prediction needs is in the run, and in the file alone.
        let stored = try run.readConfiguration()
        #expect(try stored.labels == classNames && stored.preprocessing == .plain(8))
        #expect(configuration.dataName == "photos")
        for path in [run.path, run.modelPath] {
            let model = try TrainedModel(runOrWeights: path)
            #expect(try model.classNames == classNames && model.preprocessing == .plain(8))
        }
        let model = try TrainedModel(runOrWeights: run.path)
        let known = try RunData(of: model)
        #expect(known.directory == configuration.dataDirectory)
        #expect(known.validation == ValidationSplit(share: 0.25, seed: 5))

        // The loader of photos gives the network what the training gave it.
        let paths = try paths(trainer.test)
        let executor = try model.executor(
            for: try stored.model.network(size: 8), batchSize: 12, device: .cpu(threads: 2))
        let loaded = BatchLoader(
            .files(PhotoFiles(names: paths)), Preparation(try #require(model.preprocessing)), batchSize: 12)
        let photos = try #require(Array(loaded).first?.images)
        let tested = try #require(
            Array(BatchLoader(trainer.test, trainer.setup.testPreparation, batchSize: 12)).first?.images)
        #expect(photos.values == tested.values)
        let labels = try #require(tested.labels)
        let logits = executor.logits(photos)
        let right = (0..<12).count { index in
            let row = logits[index * 4..<index * 4 + 4]
            return row.firstIndex(of: row.max() ?? .nan).map { $0 - index * 4 } == Int(labels[index])
        }
        #expect(Double(right) / 12 == summary.testAcc)
    }

    @Test func threadsAndStopsChangeNothing() throws {
        let (whole, one, stopped) = (folder.run("whole"), folder.run("one"), folder.run("stopped"))
        _ = try trainer(configuration(), run: whole).run()
        _ = try trainer(configuration(), run: one, threads: 1).run()
        #expect(try one.bytes(\.modelPath) == whole.bytes(\.modelPath))
        var steps = 0
        _ = try trainer(configuration(), run: stopped).run { event in
            if case .step = event { steps += 1 }
        } shouldStop: {
            steps >= 3
        }
        // What the run says about its data is enough to go on.
        let stored = try stopped.readConfiguration()
        _ = try trainer(stored, run: stopped, resuming: true).run()
        #expect(try stopped.tensors() == whole.tensors())
        #expect(try stopped.bytes(\.modelPath) == whole.bytes(\.modelPath))
    }

    /// How many steps the run's checkpoint has.
    private func savedStep(_ run: RunFolder) throws -> Int? {
        let text = try Safetensors(contentsOf: run.checkpointPath).metadata["vgg.state"] ?? ""
        let state = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return state?["step"] as? Int
    }

    @Test func aBrokenPhotoEndsTheTrainingButLosesNothing() throws {
        let (whole, broken) = (folder.run("whole"), folder.run("broken"))
        let configuration = configuration { $0.shuffle = false }
        _ = try trainer(configuration, run: whole).run()
        // The last photo of the last class that is trained on comes in the last of five batches.
        let train = try DatasetStore().load(
            "folder", from: configuration.dataDirectory, validation: configuration.validation
        ).train
        let last = try #require(try paths(train).last)
        let url = URL(fileURLWithPath: last)
        let content = try Data(contentsOf: url)
        try content.dropLast(30).write(to: url)
        let error = #expect(throws: FileError.self) { try trainer(configuration, run: broken).run() }
        #expect(error?.path == last)
        #expect(try savedStep(broken) == 4)
        try content.write(to: url)
        _ = try trainer(configuration, run: broken, resuming: true).run()
        #expect(try broken.tensors() == whole.tensors())
    }

    @Test func aBrokenTestPhotoLosesNothing() throws {
        let run = folder.run("run")
        let test = try DatasetStore().load(
            "folder", from: configuration().dataDirectory, validation: configuration().validation
        ).test
        let photo = try paths(test)[5]
        let content = try Data(contentsOf: URL(fileURLWithPath: photo))
        try content.dropLast(30).write(to: URL(fileURLWithPath: photo))
        let error = #expect(throws: FileError.self) { try trainer(configuration(), run: run).run() }
        #expect(error?.path == photo)
        #expect(try savedStep(run) == 5)
    }

    @Test func channelsDecideTheColours() throws {
        let grey = try trainer(configuration { $0.model.inChannels = 1 })
        #expect(try grey.configuration.preprocessing == .plain(8, channels: .grey))
        #expect(grey.setup.trainingPreparation.channels == 1)
        let normalised = try trainer(configuration { $0.preprocessing = .imageNet })
        #expect(try normalised.configuration.preprocessing == .imageNet.resized(to: 8))
        #expect(normalised.setup.testPreparation.height == 8)
    }

    /// The numbers that must agree, and what the error says to do.
    static let mistakes: [(String, @Sendable (inout TrainingConfiguration) -> Void)] = [
        ("`classes` 4", { $0.model.classes = 5 }), ("`classes` 4", { $0.model.classes = 3 }),
        ("`inChannels` 3", { $0.model.inChannels = 2 }),
        (
            "`inChannels` 3",
            {
                $0.model.inChannels = 1
                $0.preprocessing = .caffe
            }
        ),
        ("`validationSplit` 0.2", { $0.validationSplit = nil }),
        ("not those of the run", { $0.labels = ["a"] }),
    ]

    @Test(arguments: mistakes)
    func refusesDataThatDoNotFit(_ says: String, _ spoil: @Sendable (inout TrainingConfiguration) -> Void)
        throws
    {
        let error = #expect(throws: TrainingError.self) { try trainer(configuration(spoil)) }
        #expect(error.map { "\($0)".contains(says) } == true, "\(String(describing: error))")
    }

    @Test func photosHaveOptionsOfTheirOwn() throws {
        for share in [0, 1, -0.5, .nan] {
            #expect(throws: TrainingError.self) {
                try configuration { $0.validationSplit = share }.validate()
            }
        }
        // What a damaged config.json may say.
        #expect(configuration { $0.validationSplit = 2 }.validation == nil)
        let stored = configuration()
        let conflicts = stored.conflicts(with: configuration { $0.validationSplit = 0.3 })
        #expect(conflicts == [SettingConflict(setting: .validationSplit, stored: "0.25", given: "0.3")])
        let elsewhere = configuration { $0.dataDirectory = "/elsewhere" }
        #expect(stored.conflicts(with: elsewhere) == [])
    }
}
