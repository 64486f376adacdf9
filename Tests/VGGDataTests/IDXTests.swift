import Foundation
import Testing
import VGGData
import VGGModel
import VGGTestSupport

/// Files of a given folder: what loads, and what is said about files that do not.
@Suite struct IDXTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func load(_ name: String = "mnist") throws -> DatasetSplits {
        try DatasetStore().load(name, from: folder.path)
    }

    /// The reason why loading fails, which must name `file` and be one line.
    private func rejection(
        _ file: String, _ name: String = "mnist", sourceLocation: SourceLocation = #_sourceLocation
    ) -> String? {
        let error = #expect(throws: DatasetError.self, sourceLocation: sourceLocation) { try load(name) }
        guard case .malformedFile(let path, let reason) = error else {
            Issue.record("\(String(describing: error)) is another error", sourceLocation: sourceLocation)
            return nil
        }
        #expect(path == "\(folder.path)/\(file)", sourceLocation: sourceLocation)
        let description = error?.description ?? ""
        #expect(description.contains(path) && !description.contains("\n"), sourceLocation: sourceLocation)
        return reason
    }

    @Test(arguments: [false, true]) func loads(compressed: Bool) throws {
        try TinySet().write(to: folder, compressed: compressed)
        let splits = try load()
        #expect(splits.train.count == 3 && splits.test.count == 2)
        #expect(splits.train.images.shape == .map(channels: 1, height: 2, width: 4))
        #expect(try splits.train.stored.bytes == Array(0..<24) && splits.test.stored.bytes == Array(24..<40))
        #expect(splits.train.labels == [2, 0, 9] && splits.test.labels == [1, 3])
        #expect(splits.train.classNames == (0..<10).map(String.init))
        #expect(splits.folder == folder.path && !splits.isVerified)
    }

    @Test func readsGzipOfSeveralMembers() throws {
        try TinySet().write(to: folder)
        try folder.remove("train-images-idx3-ubyte")
        let whole = TinySet().trainImages
        try folder.write(
            gzip(Array(whole[..<9])) + gzip(Array(whole[9...])), to: "train-images-idx3-ubyte.gz")
        #expect(try load().train.stored.bytes == Array(0..<24))
    }

    @Test func readsPlainFilesThatAreNamedAsCompressed() throws {
        try TinySet().write(to: folder)
        try folder.remove("t10k-labels-idx1-ubyte")
        try folder.write(TinySet().testLabels, to: "t10k-labels-idx1-ubyte.gz")
        #expect(try load().test.labels == [1, 3])
    }

    @Test func noPrefixOfAPlainFileLoads() throws {
        try TinySet().write(to: folder)
        for (name, whole) in [
            ("train-images-idx3-ubyte", TinySet().trainImages),
            ("t10k-labels-idx1-ubyte", TinySet().testLabels),
        ] {
            for length in whole.indices {
                try folder.write(Array(whole[..<length]), to: name)
                let reason = try #require(rejection(name), "\(length) bytes of \(name)")
                #expect(reason.contains("cut off") || length < 4, "\(length): \(reason)")
            }
            try folder.write(whole, to: name)
        }
        #expect(try load().train.count == 3)
    }

    @Test func noPrefixOfACompressedFileLoads() throws {
        try TinySet().write(to: folder, compressed: true)
        let name = "train-images-idx3-ubyte.gz"
        let whole = gzip(TinySet().trainImages)
        for length in whole.indices {
            try folder.write(Array(whole[..<length]), to: name)
            let reason = try #require(rejection(name), "\(length) bytes")
            #expect(reason.contains("cut off") || length < 4, "\(length): \(reason)")
        }
    }

    @Test func findsEveryDamagedByteOfGzipData() throws {
        try TinySet().write(to: folder, compressed: true)
        let name = "t10k-labels-idx1-ubyte.gz"
        let whole = gzip(TinySet().testLabels)
        // The header's flags, time and system (4...9) say nothing about the content.
        for place in whole.indices.dropFirst(10) {
            var damaged = whole
            damaged[place] ^= 4
            try folder.write(damaged, to: name)
            _ = try #require(rejection(name), "byte \(place)")
        }
    }

    @Test func namesAWrongChecksum() throws {
        try TinySet().write(to: folder, compressed: true)
        var damaged = gzip(TinySet().testLabels)
        damaged[damaged.count - 8] ^= 1
        try folder.write(damaged, to: "t10k-labels-idx1-ubyte.gz")
        #expect(rejection("t10k-labels-idx1-ubyte.gz") == "is damaged gzip data (incorrect data check)")
    }

    @Test(arguments: [false, true]) func refusesWhatFollowsTheData(compressed: Bool) throws {
        try TinySet().write(to: folder, compressed: compressed)
        let name = "train-images-idx3-ubyte" + (compressed ? ".gz" : "")
        let longer = TinySet().trainImages + [7]
        try folder.write(compressed ? gzip(longer) : longer, to: name)
        #expect(rejection(name) == "has more than the 24 bytes its header promises")
        if compressed {
            try folder.write(gzip(TinySet().trainImages) + Array("garbage".utf8), to: name)
            #expect(rejection(name) == "has 7 bytes of something else after its gzip data")
        }
    }

    @Test func namesAWrongMagicNumber() throws {
        try TinySet().write(to: folder)
        try folder.write(Array("<!DOCTYPE html>".utf8), to: "train-images-idx3-ubyte")
        let html = try #require(rejection("train-images-idx3-ubyte"))
        #expect(html.hasPrefix("begins with 3c 21 44 4f, not with 00 00 08 03"))
        // Labels where images belong.
        try folder.write(TinySet().trainLabels, to: "train-images-idx3-ubyte")
        let labels = try #require(rejection("train-images-idx3-ubyte"))
        #expect(labels.hasPrefix("begins with 00 00 08 01"))
        // Floats.
        try folder.write([0, 0, 13, 3] + TinySet().trainImages.dropFirst(4), to: "train-images-idx3-ubyte")
        let floats = try #require(rejection("train-images-idx3-ubyte"))
        #expect(floats.hasPrefix("begins with 00 00 0d 03"))
    }

    @Test(arguments: [
        [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF], [0, 2, 4], [3, 0, 4], [3, 2, 0],
    ]) func refusesImpossibleSizes(dimensions: [Int]) throws {
        try TinySet().write(to: folder)
        try folder.write(idx(dimensions, Array(0..<24)), to: "train-images-idx3-ubyte")
        #expect(
            rejection("train-images-idx3-ubyte")?.hasPrefix("has the impossible size \(dimensions[0])×")
                == true)
    }

    /// A header that promises 16 exabytes must not make the reader ask for them.
    @Test(arguments: [false, true]) func aBoastfulHeaderCostsNoMemory(compressed: Bool) throws {
        try TinySet().write(to: folder, compressed: compressed)
        let name = "train-images-idx3-ubyte" + (compressed ? ".gz" : "")
        let boast = idx([0x7FFF_FFFF, 0xFFFF_FFFF, 1], Array(0..<24))
        try folder.write(compressed ? gzip(boast) : boast, to: name)
        #expect(rejection(name)?.hasSuffix("24 are there") == true)
    }

    @Test func namesALabelOutOfRange() throws {
        var set = TinySet()
        set.testLabels = idx([2], [1, 10])
        try set.write(to: folder)
        #expect(
            throws: DatasetError.labelOutOfRange(
                path: "\(folder.path)/t10k-labels-idx1-ubyte", index: 1, label: 10, allowed: 0...9)
        ) { try load() }
        // Under a name without known classes, the labels say how many there are.
        let splits = try load("my-own")
        #expect(splits.train.classNames == (0...10).map(String.init))
        #expect(splits.test.labels == [1, 10] && splits.train.name == "my-own")
    }

    @Test func namesCountsAndSizesThatDiffer() throws {
        var set = TinySet()
        set.trainLabels = idx([4], [1, 2, 3, 4])
        try set.write(to: folder)
        #expect(
            throws: DatasetError.countsDiffer(
                images: "\(folder.path)/train-images-idx3-ubyte", imageCount: 3,
                labels: "\(folder.path)/train-labels-idx1-ubyte", labelCount: 4)
        ) { try load() }
        set = TinySet()
        set.testImages = idx([2, 4, 2], Array(24..<40))
        try set.write(to: folder)
        #expect(throws: DatasetError.sizesDiffer(folder: folder.path, train: "2×4", test: "4×2")) {
            try load()
        }
    }

    @Test func rightsTheLettersOfEMNIST() throws {
        // The archive holds all of EMNIST's sets in one folder; the name picks.
        try TinySet().write(to: folder, prefix: "emnist-digits-", compressed: true)
        var letters = TinySet()
        letters.trainLabels = idx([3], [1, 26, 2])
        try letters.write(to: folder, prefix: "emnist-letters-", compressed: true)

        let train = try load("emnist-letters").train
        #expect(train.labels == [0, 25, 1] && train.classNames.first == "a" && train.classNames.count == 26)
        #expect(train.images.shape == .map(channels: 1, height: 4, width: 2))
        #expect(try train.images.pixels(at: 1).bytes == [8, 12, 9, 13, 10, 14, 11, 15])
        #expect(try load("emnist-digits").train.labels == [2, 0, 9])

        letters.trainLabels = idx([3], [1, 0, 2])
        try letters.write(to: folder, prefix: "emnist-letters-", compressed: true)
        #expect(
            throws: DatasetError.labelOutOfRange(
                path: "\(folder.path)/emnist-letters-train-labels-idx1-ubyte.gz", index: 1, label: 0,
                allowed: 1...26)
        ) { try load("emnist-letters") }
    }

    @Test(arguments: [
        "EMNIST-letters", "emnist_letters", "EMNIST Letters", "emnistLetters",
        "emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte",
    ]) func namesMayBeSpeltInAnyWay(_ name: String) throws {
        var letters = TinySet()
        letters.trainLabels = idx([3], [1, 26, 2])
        try letters.write(to: folder)
        let splits = try load(name)
        #expect(splits.train.name == "emnist-letters" && splits.train.classNames.last == "z")
        #expect(
            splits.train.labels == [0, 25, 1] && splits.train.images.shape?.dimensions[1] == 4
                && splits.remarks.isEmpty)
        #expect(DatasetStore.name(of: name) == "emnist-letters")
        #expect(DatasetStore.classNames(of: name)?.count == 26)
    }

    /// Under a name that says nothing, the files' own names do.
    @Test(arguments: ["my-own", "emnist", "letters"]) func filesSayWhichSetTheyAre(_ name: String) throws {
        var letters = TinySet()
        letters.trainLabels = idx([3], [1, 26, 2])
        try letters.write(to: folder, prefix: "emnist-letters-", compressed: true)
        let train = try load(name).train
        #expect(train.name == "emnist-letters" && train.labels == [0, 25, 1] && train.classNames.count == 26)
        #expect(try train.images.pixels(at: 1).bytes == [8, 12, 9, 13, 10, 14, 11, 15])
        let error = #expect(throws: DatasetError.self) { try load("mnist") }
        #expect(error?.description.hasSuffix("use `data` emnist-letters:\(folder.path)") == true)
    }

    @Test func anUnknownNameGetsTheNearestKnownOne() throws {
        for (name, known) in [
            ("fashion-mnsit", "fashion-mnist"), ("emnist-leters", "emnist-letters"), ("minst", "mnist"),
        ] {
            let missing = DatasetError.notFound(name: name, searched: ["a", "b"]).description
            #expect(missing.contains("did you mean \(known)?") && !missing.contains("\n"), "\(missing)")
        }
        for name in ["nothing-like-it", "my-own", "abc"] {
            #expect(!DatasetError.notFound(name: name, searched: []).description.contains("did you mean"))
        }
        try TinySet().write(to: folder)
        #expect(
            try load("emnist-leters").remarks.first?.hasSuffix("did you mean `data` emnist-letters?") == true)
        #expect(try load("my-own").remarks.isEmpty)
        // Which of EMNIST's sets it is, neither the name nor the files say.
        let error = #expect(throws: DatasetError.self) { try load("EMNIST") }
        #expect(error?.description.contains("name one of emnist-letters, emnist-digits") == true)
    }

    @Test func knowsTheClassesOfEMNIST() throws {
        try TinySet().write(to: folder)
        #expect(try load("emnist-balanced").train.classNames.count == 47)
        #expect(try load("emnist-bymerge").train.classNames.count == 47)
        #expect(try load("emnist-byclass").train.classNames.count == 62)
    }

    @Test func prefersTheCompressedOfTwoCopies() throws {
        try TinySet().write(to: folder, compressed: true)
        try folder.write([1, 2, 3], to: "train-images-idx3-ubyte")
        #expect(try load().train.count == 3)
    }

    @Test func saysWhichFilesAreMissingOrAmbiguous() throws {
        #expect(throws: DatasetError.self) { try load() }
        try TinySet().write(to: folder)
        try folder.remove("t10k-images-idx3-ubyte")
        #expect(throws: DatasetError.missingFiles(folder: folder.path, missing: ["test images"])) {
            try load()
        }
        try folder.write(TinySet().testImages, to: "a-test-images-idx3-ubyte")
        try folder.write(TinySet().testImages, to: "b-test-images.idx3-ubyte.gz")
        #expect(
            throws: DatasetError.ambiguousFiles(
                folder: folder.path, part: "test images",
                candidates: ["a-test-images-idx3-ubyte", "b-test-images.idx3-ubyte.gz"])
        ) { try load() }
    }
}
