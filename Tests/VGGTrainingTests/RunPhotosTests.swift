import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGFiles
import VGGImages
import VGGInference
import VGGPictures
import VGGTestSupport
import VGGTraining

/// A run and its photos: broken ones, lost ones, and a folder that is elsewhere now.
@Suite(.enabled(if: ImageFormat.png.isSupported)) struct RunPhotosTests {
    let folder: TemporaryFolder
    private var run: RunFolder { RunFolder("\(folder.path)/run") }
    private var whole: RunFolder { RunFolder("\(folder.path)/whole") }

    /// Twelve photos in each of two classes.
    init() throws {
        folder = try TemporaryFolder()
        for (number, name) in ["green", "red"].enumerated() {
            for index in 0..<12 {
                var bitmap = Bitmap(width: 12, height: 12)
                for y in 0..<12 {
                    for x in 0..<12 {
                        let grey = UInt8((x * 17 + y * 5 * number + index * 3) % 256)
                        bitmap[x, y] = Colour(red: grey, green: 255 - grey, blue: grey / 2)
                    }
                }
                try folder.write([UInt8](bitmap.pngData()), to: "photos/\(name)/\(index).png")
            }
        }
    }

    private func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in })
        -> TrainingConfiguration
    {
        var configuration = smallConfiguration()
        configuration.data = "folder"
        configuration.dataDirectory = "\(folder.path)/photos"
        configuration.validationSplit = 0.25
        configuration.model.inChannels = 3
        configuration.model.classes = 2
        configuration.batchSize = 4
        change(&configuration)
        return configuration
    }

    private func trainer(
        _ configuration: TrainingConfiguration, run: RunFolder, resuming: Bool = false,
        from path: String? = nil
    ) throws -> Trainer {
        let data = try DatasetStore().load(
            "folder", from: path ?? configuration.dataDirectory, validation: configuration.validation,
            checksPhotos: false)
        return try Trainer(
            TrainingSetup(
                configuration, training: data.train, test: data.test, device: .cpu(threads: 2), folder: run,
                resuming: resuming))
    }

    private func stop(_ trainer: Trainer, after count: Int) throws {
        var steps = 0
        _ = try trainer.run { event in
            if case .step = event { steps += 1 }
        } shouldStop: {
            steps >= count
        }
    }

    /// Cuts a photo in half: its first bytes are still those of a PNG file.
    private func spoil(_ name: String) throws {
        let bytes = try folder.bytes("photos/\(name)")
        try folder.write([UInt8](bytes.prefix(bytes.count / 2)), to: "photos/\(name)")
    }

    @Test func brokenPhotosAreLeftOutAndRemembered() throws {
        let configuration = configuration { $0.skipBroken = true }
        try spoil("red/3.png")
        try folder.write(Array("<html>".utf8), to: "photos/green/5.png")
        _ = try trainer(configuration, run: whole).run()
        let photos = try #require(try whole.readPhotos())
        #expect(Set(photos.skipped.map(\.photo)) == ["red/3.png", "green/5.png"])
        #expect(photos.skipped.allSatisfy { !$0.reason.isEmpty })
        #expect(photos.train.count + photos.test.count == 22)

        // Stopped and gone on with, the run has the same bits and leaves out the same photos, mended or not.
        try stop(try trainer(configuration, run: run), after: 3)
        try FileManager.default.removeItem(atPath: "\(folder.path)/photos/red/3.png")
        try FileManager.default.copyItem(
            atPath: "\(folder.path)/photos/red/4.png", toPath: "\(folder.path)/photos/red/3.png")
        let resumed = try trainer(try run.readConfiguration(), run: run, resuming: true)
        _ = try resumed.run()
        #expect(try run.tensors() == whole.tensors() && run.readPhotos() == photos)
        #expect(resumed.remarks.contains { $0.hasPrefix("2 photos are left out") }, "\(resumed.remarks)")
    }

    @Test func aBrokenPhotoSaysHowToGoOnAndThatWorks() throws {
        try spoil("red/3.png")
        try spoil("green/7.png")
        let error = #expect(throws: FileError.self) { try trainer(configuration(), run: run).run() }
        #expect(error?.reason.contains("vgg train `resuming` \(run.path)") == true)
        #expect(error?.reason.contains("`skipBroken`") == true)
        var stored = try run.readConfiguration()
        stored.skipBroken = true
        #expect(try #require(try trainer(stored, run: run, resuming: true).run()).epochs == 2)
        #expect(try run.readPhotos()?.skipped.count == 2)
        #expect(try run.readConfiguration().skipBroken == true)
    }

    @Test func aClassMustNotVanish() throws {
        for index in 0..<12 { try spoil("red/\(index).png") }
        let error = #expect(throws: FileError.self) {
            try trainer(configuration { $0.skipBroken = true }, run: run)
        }
        #expect(error?.reason == "no photo of the class red can be read")
    }

    /// Nor for training alone, and then others can be tested on.
    @Test func aClassMustBeTrainedOn() throws {
        let photos = try trainer(configuration(), run: whole).setup.training.photoNames
        for name in photos where name.hasPrefix("red/") { try spoil(name) }
        let error = #expect(throws: FileError.self) {
            try trainer(configuration { $0.skipBroken = true }, run: run)
        }
        #expect(
            error?.reason == "of the class red no photo can be read that would be for training; "
                + "another `seed` keeps other ones for testing")
    }

    /// What is said then is not that there are none.
    @Test func aWholeHalfMustNotVanish() throws {
        let photos = try trainer(configuration(), run: whole).setup.test.photoNames
        for name in photos { try spoil(name) }
        let error = #expect(throws: FileError.self) {
            try trainer(configuration { $0.skipBroken = true }, run: run)
        }
        #expect(error?.reason == "none of the \(photos.count) photos for testing can be read")
    }

    /// Where the folder is now is a part of the command.
    @Test func adviceKnowsWhereThePhotosAre() throws {
        try stop(try trainer(configuration(), run: run), after: 3)
        try FileManager.default.moveItem(atPath: "\(folder.path)/photos", toPath: "\(folder.path)/my photos")
        try folder.remove("my photos/red/2.png")
        var stored = try run.readConfiguration()
        stored.dataDirectory = "\(folder.path)/my photos"
        let error = #expect(throws: FileError.self) {
            try trainer(stored, run: run, resuming: true, from: stored.dataDirectory)
        }
        let command =
            "vgg train `resuming` \(run.path) `dataDirectory` '\(folder.path)/my photos' `skipBroken`"
        #expect(error?.reason.hasSuffix(command) == true, "\(String(describing: error))")
        // Photos of other names are no part of it.
        for name in ["green", "red"] {
            for index in 0..<12 { try? folder.remove("my photos/\(name)/\(index).png") }
            try folder.write([UInt8](Bitmap(width: 9, height: 9).pngData()), to: "my photos/\(name)/a.png")
            try folder.write([UInt8](Bitmap(width: 9, height: 9).pngData()), to: "my photos/\(name)/b.png")
        }
        stored.skipBroken = true
        let other = #expect(throws: FileError.self) {
            try trainer(stored, run: run, resuming: true, from: stored.dataDirectory)
        }
        #expect(other?.reason.hasSuffix("vgg train `resuming` \(run.path) `dataDirectory` FOLDER") == true)
    }

    @Test func lostPhotosAreNamed() throws {
        try stop(try trainer(configuration(), run: run), after: 3)
        for name in ["red/2.png", "green/9.png"] { try folder.remove("photos/\(name)") }
        var stored = try run.readConfiguration()
        let error = #expect(throws: FileError.self) { try trainer(stored, run: run, resuming: true) }
        #expect(error?.reason.hasPrefix("2 photos (") == true, "\(String(describing: error))")
        for words in ["red/2.png", "green/9.png", "are gone", "`skipBroken`"] {
            #expect(error?.reason.contains(words) == true, "\(words)")
        }
        stored.skipBroken = true
        _ = try trainer(stored, run: run, resuming: true).run()
        #expect(try Set(#require(try run.readPhotos()).skipped.map(\.photo)) == ["red/2.png", "green/9.png"])
    }

    /// Neither another path nor new photos change what a run trains on.
    @Test func aRunKeepsToItsPhotos() throws {
        _ = try trainer(configuration(), run: whole).run()
        try stop(try trainer(configuration(), run: run), after: 3)
        try FileManager.default.moveItem(atPath: "\(folder.path)/photos", toPath: "\(folder.path)/moved")
        try FileManager.default.copyItem(
            atPath: "\(folder.path)/moved/red/1.png", toPath: "\(folder.path)/moved/red/00.png")
        let resumed = try trainer(
            try run.readConfiguration(), run: run, resuming: true, from: "\(folder.path)/moved")
        #expect(resumed.remarks == ["1 photo is new since the run began and is not used"])
        _ = try resumed.run()
        #expect(try run.tensors() == whole.tensors())
    }

    /// Moved, linked or copied, the folder's test photos are those of the run; another folder is tested as a whole.
    @Test func testsOnTheRunsOwnPhotosWhereverTheyAre() throws {
        _ = try trainer(configuration(), run: run).run()
        let own = try #require(try run.readPhotos()).test
        #expect(own.count == 6)
        let known = try RunData(of: TrainedModel(runOrWeights: run.path))
        func testing(
            _ name: String, isRuns: Bool = false
        ) throws -> (data: DatasetSplits, gone: [String], trained: Int) {
            let data = try DatasetStore().load(
                "folder", from: "\(folder.path)/\(name)", classNames: ClassNames(["green", "red"]))
            return try known.testing(on: data, isRuns: isRuns)
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/linked", withDestinationPath: "photos")
        try FileManager.default.copyItem(atPath: "\(folder.path)/photos", toPath: "\(folder.path)/copied")
        for name in ["photos", "linked", "copied"] {
            let (data, gone, _) = try testing(name)
            #expect(data.test.photoNames == own && data.testing == .run && gone.isEmpty, "\(name)")
        }
        try folder.remove("copied/\(own[0])")
        let (data, gone, _) = try testing("copied")
        #expect(data.test.photoNames == Array(own.dropFirst()) && gone == [own[0]])

        // Few photos of the same names are another folder.
        for index in 0..<3 {
            try folder.write([UInt8](folder.bytes("photos/red/\(index).png")), to: "other/red/\(index).png")
        }
        let other = try testing("other").data
        #expect(other.test.count == 3 && other.testing == .all)
        // So are as many of the same names that are other files.
        for name in ["green", "red"] {
            for index in 0..<12 {
                let bytes = try [UInt8](folder.bytes("photos/\(name)/\(index).png")) + [0]
                try folder.write(bytes, to: "twins/\(name)/\(index).png")
            }
        }
        let (twins, _, trained) = try testing("twins")
        #expect(twins.test.count == 24 && twins.testing == .all && trained == 18)
        #expect(throws: FileError.self) {
            for name in own { try? folder.remove("copied/\(name)") }
            _ = try testing("copied", isRuns: true)
        }
    }
}
