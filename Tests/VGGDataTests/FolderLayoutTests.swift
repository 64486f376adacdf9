import Foundation
import Testing
import VGGData
import VGGFiles
import VGGImages
import VGGTestSupport

/// What the sub-folders of a folder of photos are taken for, and what is said about the rest. No photo is decoded.
@Suite(.enabled(if: ImageFormat.png.isSupported)) struct FolderLayoutTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes files that begin as PNG files do. The names are text as `FileName` has it.
    private func write(_ names: [String]) throws {
        for name in names {
            let parts = name.split(separator: "/").map(String.init)
            for count in 1..<max(1, parts.count) {
                "\(folder.path)/\(parts.prefix(count).joined(separator: "/"))".withSystemPath {
                    _ = mkdir($0, 0o755)
                }
            }
            let file = try #require("\(folder.path)/\(name)".withSystemPath { fopen($0, "w") }, "\(name)")
            let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            #expect(fwrite(start, 1, start.count, file) == start.count)
            fclose(file)
        }
    }

    private func load(_ inner: String = "", classNames: [String]? = nil) throws -> DatasetSplits {
        try DatasetStore().load(
            "folder", from: folder.path + inner, classNames: classNames.map { ClassNames($0) })
    }

    private func names(_ dataset: ImageDataset) -> [String] {
        guard case .files(let photos) = dataset.images else { return [] }
        return photos.names
    }

    /// What is wrong, in words that must be one line.
    private func problem(_ inner: String = "") throws -> String {
        let error = try #require(#expect(throws: FileError.self) { try load(inner) })
        #expect(!error.description.contains("\n") && error.path.hasPrefix(folder.path))
        return error.reason
    }

    @Test(arguments: [
        ("train", "val"), ("train", "valid"), ("Train", "VALID"), ("TRAIN", "Validation"),
        ("training", "dev"),
        ("train", "test"), ("Training_Set", "test_set"), ("train2017", "val2017"), ("train", "testing"),
        ("seg_train", "seg_test"), ("Train_Set_Folder", "Test_Set_Folder"), ("images-train", "images-val"),
    ]) func halvesAreKnownByTheirNames(_ train: String, _ test: String) throws {
        try write(["\(train)/red/1.png", "\(train)/green/1.png", "\(test)/red/2.png"])
        let splits = try load()
        #expect(names(splits.train) == ["\(train)/green/1.png", "\(train)/red/1.png"])
        #expect(names(splits.test) == ["\(test)/red/2.png"] && splits.test.labels == [1])
        #expect(splits.remarks.isEmpty)
    }

    /// Epochs are chosen by the one, and the other has no say.
    @Test func aFolderMayHaveAllThreeParts() throws {
        try write(
            ["train", "test", "valid"].flatMap { ["\($0)/red/1.png", "\($0)/green/1.png"] }
                + ["train/red/2.png", "train/green/2.png", "notes/1.txt"])
        let splits = try load()
        #expect(names(splits.test) == ["test/green/1.png", "test/red/1.png"])
        #expect(splits.validation.map(names) == ["valid/green/1.png", "valid/red/1.png"])
        #expect(splits.remarks.count == 1 && splits.remarks[0].contains("notes holds no part"))
        // Who keeps a part of the training half wants to choose by that.
        let kept = try DatasetStore().load(
            "folder", from: folder.path, validation: ValidationSplit(share: 0.5, seed: 1))
        #expect(names(kept.test) == names(splits.test) && kept.train.count == 2)
        #expect(
            kept.validation?.labels == [0, 1] && kept.validation.map(names)?[0].hasPrefix("train/") == true)
        #expect(kept.remarks.contains { $0.contains("valid: is not used") })
    }

    @Test func oneOfSeveralHalvesIsForTestingAndSaidSo() throws {
        try write(["train", "dev", "valid"].flatMap { ["\($0)/red/1.png", "\($0)/green/1.png"] })
        let splits = try load()
        #expect(names(splits.test) == ["valid/green/1.png", "valid/red/1.png"] && splits.validation == nil)
        #expect(splits.remarks.count == 1)
        #expect(splits.remarks[0].hasSuffix("tests are made on valid, not on dev"))
        // The other half can be tested on by its own path.
        #expect(names(try load("/dev", classNames: ["green", "red"]).train).count == 2)
    }

    /// A folder for testing alone serves those who know the classes, not those who want to train.
    @Test func aHalfAloneIsForTesting() throws {
        try write(["val/red/1.png", "val/green/1.png"])
        let splits = try load(classNames: ["red", "green"])
        #expect(splits.train.count == 0 && splits.test.labels == [1, 0])
        #expect(try problem().contains("no folder train"))
    }

    @Test func theTrainingHalfAloneNamesTheWhole() throws {
        try write(["train/red/1.png", "train/green/1.png", "valid/red/2.png"])
        #expect(
            try load("/train").remarks == [
                "\(folder.path)/train: lies beside valid; `data` folder:\(folder.path) "
                    + "trains on the one and tests on the other"
            ])
    }

    /// What would train something else than was meant, and words of the error.
    static let mistakes: [(files: [String], inner: String, says: [String])] = [
        (
            ["photos/red/1.png", "photos/green/1.png"], "",
            ["only one class, photos", "did you mean this? `data` folder:", "/photos"]
        ),
        (["a/a/red/1.png", "a/a/green/1.png"], "", ["only one class, a", "/a/a"]),
        (["a/train/red/1.png", "a/train/green/1.png", "a/val/red/1.png"], "", ["only one class", "/a"]),
        (
            ["fold1/red/1.png", "fold1/green/1.png", "fold2/red/1.png", "fold2/green/1.png"], "",
            ["green and red in each of fold1 and fold2", "like parts of the data", "/fold1"]
        ),
        (["red/1.png", "green/1.png"], "/red", ["has no sub-folders", "did you mean this? `data` folder:"]),
        (
            ["train/red/1.png", "train/green/1.png", "val/red/1.png"], "/train/red",
            ["has no sub-folders", "did you mean"]
        ),
        (["red/1.png"], "", ["only one class, red", "make a folder for each class"]),
        (["train/red/1.png", "val/red/1.png"], "", ["only one class, red"]),
        (["train/1.png", "test/1.png"], "", ["test and train, but no class folders"]),
        (
            ["train/red/1.png", "train/green/1.png", "more/1.png"], "",
            ["beside more", "if train is a class"]
        ),
        (["red/1.png", "green/1.png", "val/red/1.png", "val/green/1.png"], "", ["if val is a class"]),
        (
            ["train/red/1.png", "Train/red/1.png", "val/red/1.png"], "",
            ["more than one folder for training: Train and train"]
        ),
        (
            ["red/train/1.png", "red/test/1.png", "green/train/1.png", "green/test/1.png"], "",
            ["test and train within its classes", "test/green"]
        ),
        (
            ["caf\u{E9}/1.png", "cafe\u{301}/1.png", "tea/1.png"], "",
            ["twice", "caf\\u{00E9}", "cafe\\u{0301}"]
        ),
    ]

    @Test(arguments: mistakes.indices) func whatIsNotMeantIsRefused(_ index: Int) throws {
        let mistake = Self.mistakes[index]
        try write(mistake.files)
        let problem = try problem(mistake.inner)
        for words in mistake.says { #expect(problem.contains(words), "\(problem)") }
        // Advice that names a folder names one that can be trained on.
        if let start = problem.range(of: "`data` folder:")?.upperBound, problem.hasSuffix("?") {
            let path = String(problem[start...].dropLast())
            #expect(try DatasetStore().load("folder", from: path).train.classNames == ["green", "red"])
        }
    }

    /// The parent of a folder of photos is no data set because it has folders.
    @Test func noFolderIsMeantThatHoldsOtherThings() throws {
        try write(["Pictures/1.png", "Documents/1.txt", "Downloads/1.txt"])
        #expect(try !problem("/Pictures").contains("did you mean"))
    }

    @Test func whatSystemsLeaveBehindIsNoClass() throws {
        try write([
            "red/1.png", "red/._1.png", "red/.DS_Store", "green/1.png",
            "green/@eaDir/1.png/thumb.png",
            "__MACOSX/red/._1.png", ".ipynb_checkpoints/1.png", "$RECYCLE.BIN/1.png",
        ])
        try folder.write([0xD0, 0xCF, 0x11, 0xE0], to: "red/Thumbs.db")
        let splits = try load()
        #expect(names(splits.train) == ["green/1.png", "red/1.png"] && splits.remarks.isEmpty)
    }

    @Test func whatIsNotReadIsCounted() throws {
        try write([
            "red/1.png", "red/a.bmp", "red/b.BMP", "red/inner/c.gif", "green/1.png", "green/d.heic",
            "green/photo",
            "green/e.txt", "1.png", "f.tiff",
        ])
        try folder.write(Array("text".utf8), to: "green/e.txt")
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/green/link", withDestinationPath: "../red/inner")
        let splits = try load()
        #expect(splits.train.count == 2 && splits.remarks.count == 2)
        #expect(
            splits.remarks[0]
                == "\(folder.path): 1 photo lies beside the class folders, of no class and not used")
        #expect(
            splits.remarks[1]
                == "\(folder.path): 2 BMP, 1 GIF, 1 HEIC, 1 TIFF files are not read (only JPEG, PNG and WebP are): "
                + "convert them to use them; 1 file is a picture, but does not end in jfif, jpe, jpeg, jpg, png, webp: "
                + "rename it to use it; 1 link to a folder is not followed")
        try write(["blue/1.gif"])
        #expect(
            try problem()
                == "holds no photos that can be read: 1 GIF file is not read (only JPEG, PNG and WebP are): "
                + "convert it to use it")
    }

    /// Names are bytes: no photo and no class vanishes because they are no text.
    @Test func namesThatAreNoTextCount() throws {
        try write(["red/1.png", "g\\xe4nse/\\xff.png", "g\\xe4nse/1.png", "green/1.png", "\u{E9}/1.png"])
        let splits = try load()
        #expect(splits.train.classNames == ["green", "g\\xe4nse", "red", "\u{E9}"])
        #expect(
            names(splits.train)
                == ["green/1.png", "g\\xe4nse/1.png", "g\\xe4nse/\\xff.png", "red/1.png", "\u{E9}/1.png"])
        // As they come back from a run's configuration.
        #expect(try load(classNames: splits.train.classNames).train.labels == [0, 1, 1, 2, 3])
    }

    /// What was written on a Mac may have another form than what was written here.
    @Test func halvesMayHaveTheirOwnUnicodeForms() throws {
        try write(["train/caf\u{E9}/1.png", "train/tea/1.png", "val/cafe\u{301}/1.png"])
        let splits = try load()
        #expect(splits.test.labels == [0] && splits.train.labels == [0, 1])
    }

    @Test func aClassThatLeadsNowhereIsNamed() throws {
        try write(["red/1.png", "green/1.png"])
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/blue", withDestinationPath: "gone")
        #expect(try problem() == "is a link that leads nowhere; mend it, or remove it")
    }
}
