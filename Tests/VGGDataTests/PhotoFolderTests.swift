import Foundation
import Testing
import VGGData
import VGGFiles
import VGGImages
import VGGTestSupport

/// Folders of photos as torchvision reads them (Scripts/goldens/folders.py).
struct GoldenFolder: Decodable {
    let size: Int
    /// PNG and JPEG files in Base64.
    let pictures: [String: String]
    /// Which picture each file holds.
    let files: [String: String]
    let classes: [String]
    let samples: [String]
    let labels: [UInt16]
    /// `[height, width, channels]` of each sample.
    let rgb: [[Float]]
    let grey: [[Float]]

    static func read() throws -> GoldenFolder {
        let url = Bundle.module.bundleURL.appending(path: "Goldens/folders.json")
        return try JSONDecoder().decode(GoldenFolder.self, from: Data(contentsOf: url))
    }

    func picture(_ name: String) throws -> [UInt8] {
        [UInt8](try #require(pictures[name].flatMap { Data(base64Encoded: $0) }))
    }
}

@Suite(.enabled(if: ImageFormat.png.isSupported && ImageFormat.jpeg.isSupported))
struct PhotoFolderTests {
    let golden: GoldenFolder
    let folder: TemporaryFolder

    init() throws {
        golden = try GoldenFolder.read()
        folder = try TemporaryFolder()
    }

    private func writeGolden() throws {
        for (name, picture) in golden.files { try folder.write(golden.picture(picture), to: name) }
    }

    /// Writes one picture under each of the names.
    private func write(_ names: [String]) throws {
        for name in names { try folder.write(golden.picture("wide"), to: name) }
    }

    private func load(
        _ validation: ValidationSplit? = nil, classNames: [String]? = nil
    ) throws -> DatasetSplits {
        try DatasetStore().load(
            "folder", from: folder.path, validation: validation, classNames: classNames.map { ClassNames($0) }
        )
    }

    /// The photos' paths within the folder.
    private func names(_ dataset: ImageDataset) throws -> [String] {
        guard case .files(let photos) = dataset.images else {
            Issue.record("the images are no files")
            return []
        }
        return photos.paths.map { String($0.dropFirst(folder.path.count + 1)) }
    }

    private func expectError(_ path: String, _ reason: String, _ body: () throws -> Void) throws {
        let error = try #require(#expect(throws: FileError.self) { try body() })
        #expect(error.path == (path.isEmpty ? folder.path : "\(folder.path)/\(path)"))
        #expect(error.reason.contains(reason), "\(error.reason)")
        #expect(!error.description.contains("\n"))
    }

    @Test func readsWhatImageFolderReads() throws {
        try writeGolden()
        let splits = try load()
        #expect(splits.train.classNames == golden.classes && splits.train.labels == golden.labels)
        #expect(try names(splits.train) == golden.samples)
        #expect(splits.test.count == 0 && splits.folder == folder.path)
    }

    @Test func preparesAsTorchvisionDoes() throws {
        try writeGolden()
        for (channels, expected) in [(Preprocessing.Channels.rgb, golden.rgb), (.grey, golden.grey)] {
            let train = try load().train
            let preparation = train.preparation(try .plain(golden.size, channels: channels))
            let loader = BatchLoader(train, preparation, batchSize: 5)
            let planes = expected.map {
                channelsFirst($0, channels: channels.count, pixels: golden.size * golden.size)
            }
            #expect(loader.values == planes.flatMap { $0 })
            #expect(loader.labels == golden.labels.map { Int32($0) })
            #expect(try train.example(at: 3, preparation).values == planes[3])
        }
    }

    @Test(arguments: [(1, 1), (1, 4), (2, 3), (5, 2)])
    func threadsAndPrefetchChangeNothing(threads: Int, prefetch: Int) throws {
        try writeGolden()
        let train = try load().train
        let preparation = train.preparation(try .imageNet.resized(to: 6))
        func batches(_ threads: Int, _ prefetch: Int) -> [LoadedBatch] {
            Array(
                BatchLoader(
                    train, preparation, batchSize: 2, order: .shuffled(seed: 1, epoch: 0),
                    prefetch: prefetch, threads: threads))
        }
        #expect(batches(threads, prefetch) == batches(2, 2))
    }

    @Test func findsTrainAndValOrTest() throws {
        try write(["train/a/1.png", "train/b/1.png", "test/b/2.png", "README.png"])
        let splits = try load()
        #expect(try names(splits.train) == ["train/a/1.png", "train/b/1.png"])
        // Labelled by name: the folder of a class may be missing here.
        #expect(try names(splits.test) == ["test/b/2.png"] && splits.test.labels == [1])
        #expect(splits.test.classNames == ["a", "b"])
        try write(["val/a/3.png"])
        let all = try load()
        #expect(try names(all.test) == ["test/b/2.png"] && names(#require(all.validation)) == ["val/a/3.png"])
        // What is kept is for validation, too, and comes from the training half.
        try write(["train/a/2.png"])
        let kept = try load(ValidationSplit(share: 0.5, seed: 0))
        #expect(try names(kept.test) == ["test/b/2.png"] && kept.train.labels == [0, 1])
        #expect(try #require(kept.validation).labels == [0])
        #expect(try Set(names(kept.train) + names(#require(kept.validation))).count == 3)
        try write(["val/c/1.png"])
        try expectError("val/c", "not one of the classes, which are a, b") { _ = try load() }
    }

    @Test func aClassMayBeCalledTrain() throws {
        try write(["train/1.png", "bus/1.png"])
        #expect(try load().train.classNames == ["bus", "train"])
    }

    @Test func trainAloneIsSplit() throws {
        try write(["train/a/1.png", "train/a/2.png", "train/b/1.png"])
        let splits = try load(ValidationSplit(share: 0.5, seed: 0))
        #expect(splits.train.count == 2 && splits.test.labels == [0])
    }

    /// The positions come from an independent implementation in Python, checked against Philox's published
    /// vectors: a run's split must stay what it is.
    @Test(
        arguments: [(0, [[2, 7], [2], [1], [1], []]), (1, [[2, 4], [3], [1], [0], []])] as [(UInt64, [[Int]])]
    )
    func splitsEachClass(seed: UInt64, kept: [[Int]]) throws {
        let counts = [10, 7, 2, 3, 1]
        let all = counts.enumerated().map { number, count in
            (0..<count).map { "class \(number)/\($0).png" }
        }
        try write(all.flatMap { $0 })
        let splits = try load(ValidationSplit(share: 0.2, seed: seed))
        #expect(try names(splits.test) == zip(all, kept).flatMap { names, kept in kept.map { names[$0] } })
        let rest = zip(all, kept).flatMap { names, kept in
            names.indices.filter { !kept.contains($0) }.map { names[$0] }
        }
        #expect(try names(splits.train) == rest)
        #expect(splits.train.labels.count { $0 == 0 } == 8 && splits.test.labels == [0, 0, 1, 2, 3])
    }

    @Test func limitsAreFairToClasses() throws {
        try write((0..<8).map { "a/\($0).png" } + (0..<4).map { "b/\($0).png" })
        let train = try load().train
        #expect(train.limited(to: 3).labels == [0, 0, 1] && train.limited(to: 99).count == 12)
        #expect(train.prefix(3).labels == [0, 0, 0])
        // Other data lie in no order.
        #expect(randomDataset(count: 20).limited(to: 3).labels == [0, 1, 2])
    }

    @Test func classesCanBeGiven() throws {
        try write(["cat/1.png", "dog/1.png"])
        let train = try load(classNames: ["dog", "emu", "cat"]).train
        #expect(train.labels == [2, 0] && train.classNames == ["dog", "emu", "cat"])
        try expectError("cat", "not one of the classes, which are dog, emu") {
            _ = try load(classNames: ["dog", "emu"])
        }
    }

    @Test func namesFoldersThatAreNoDataSet() throws {
        try expectError("", "no sub-folders") { _ = try load() }
        try write(["a/1.png", "b/2.txt"])
        try expectError("b", "holds no photos") { _ = try load() }
        let error = #expect(throws: FileError.self) {
            try DatasetStore().load("folder", from: "\(folder.path)/none")
        }
        #expect(error?.reason.hasPrefix("there is no such folder") == true)
        #expect(throws: DatasetError.folderMissing(name: "folder")) { try DatasetStore().load("folder") }
    }

    @Test func hiddenFoldersAreNoClasses() throws {
        try write(["a/1.png", "a/.2.png", "b/1.png", ".ipynb_checkpoints/1.png"])
        let train = try load().train
        #expect(train.classNames == ["a", "b"] && train.count == 2)
    }

    @Test func linksMakeNoLoops() throws {
        try write(["a/1.png", "a/sub/2.png"])
        let files = FileManager.default
        try files.createSymbolicLink(atPath: "\(folder.path)/b", withDestinationPath: "a")
        try files.createSymbolicLink(atPath: "\(folder.path)/a/sub/loop", withDestinationPath: "..")
        try files.createSymbolicLink(atPath: "\(folder.path)/a/3.png", withDestinationPath: "1.png")
        #expect(
            try names(load().train)
                == ["a/1.png", "a/3.png", "a/sub/2.png", "b/1.png", "b/3.png", "b/sub/2.png"])
    }

    @Test func namesWhatIsNoPhotoAtTheStart() throws {
        try write(["a/1.png", "b/1.png"])
        try folder.write(Array("<!DOCTYPE html>".utf8), to: "a/2.jpg")
        try expectError("a/2.jpg", "is a web page") { _ = try load() }
        try folder.write([], to: "b/3.jpg")
        // A folder, whatever it is called.
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/b/4.png", withIntermediateDirectories: true)
        try expectError("a/2.jpg", "(1 more cannot be used)") { _ = try load() }
    }

    @Test func namesABrokenPhotoWhenItIsMet() throws {
        try write((0..<6).map { "a/\($0).png" })
        try folder.write(Array(golden.picture("wide").dropLast(20)), to: "a/3.png")
        let train = try load(classNames: ["a"]).train
        let preparation = train.preparation(try .plain(4))
        let batches = Array(BatchLoader(train, preparation, batchSize: 2))
        #expect(batches.counts == [2, 1, 2])
        #expect(batches.map { $0.firstProblem == nil } == [true, false, true])
        #expect(batches[1].problems.mapValues(\.path) == [3: "\(folder.path)/a/3.png"])
        try expectError("a/3.png", "PNG") { _ = try train.example(at: 3, preparation) }
        #expect(throws: DatasetError.self) { try train.example(at: 6, preparation) }
    }
}
