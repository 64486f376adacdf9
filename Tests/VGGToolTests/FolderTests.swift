import Foundation
import Testing
import VGGKit

/// Seconds of training on photos of two classes, which stripes tell apart.
let stripesTraining = """
    train --data folder:photos --val-split 0.25 --conv-arch 1x8,1x16 --arch vgg11_bn --size 16 --batch-size 8 \
    --epochs 6 --lr 0.01 --momentum 0.9 --precision fp32 --run-dir run
    """

extension ToolTests {
    /// Writes photos of 24×16 pixels with lines along or across them.
    func writeStripes(_ count: Int, in name: String = "photos") throws {
        for (number, className) in ["across", "along"].enumerated() {
            let url = folder.url("\(name)/\(className)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            for index in 0..<count {
                var bitmap = Bitmap(width: 24, height: 16)
                for y in 0..<16 {
                    for x in 0..<24 where ((number == 0 ? x : y) + index) / 2 % 2 == 0 {
                        bitmap[x, y] = Colour(red: UInt8(10 * index), green: 0, blue: 0)
                    }
                }
                try bitmap.pngData().write(to: url.appending(path: "\(index).png"))
            }
        }
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func aClassOfOnePhotoIsSaidToBeUntested() throws {
        try writeStripes(4)
        let alone = folder.url("photos/alone")
        try FileManager.default.createDirectory(at: alone, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: folder.url("photos/along/1.png"), to: alone.appending(path: "1.png"))
        let result = try run("\(stripesTraining) --max-steps 1")
        #expect(
            result.status == 0
                && result.errors.contains(
                    "no photo for testing is of the class \"alone\": accuracies say nothing of it\n"),
            "\(result.errors)")
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func aSheetReplacesNoPhotoOfItsDataSet() throws {
        try writeStripes(4)
        let before = try folder.bytes("photos/along/3.png")
        for arguments in ["", "--augment"] {
            let refused = try run("data folder:photos --output photos/along/3.png \(arguments)")
            #expect(
                refused.status == 1
                    && refused.errors.hasSuffix("3.png: is the file that is read; write to another file\n"))
        }
        #expect(try folder.bytes("photos/along/3.png") == before)
        for _ in 0..<2 { #expect(try run("data folder:photos --output sheet.png").status == 0) }
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func trainsOnAFolderAndPredictsItsPhotos() throws {
        try writeStripes(16)
        let result = try run(stripesTraining)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("24 images of photos at 16×16"))
        let configuration = try RunFolder(folder.url("run").path).readConfiguration()
        #expect(configuration.data == "folder" && configuration.dataDirectory == folder.url("photos").path)
        #expect(configuration.model.inChannels == 3 && configuration.model.classes == 2)
        #expect(configuration.labels == ["across", "along"])
        #expect(try configuration.preprocessing == .plain(16))

        // The run remembers which photos it did not train on.
        let eval = try run("eval run --format json")
        let figures = try #require(try eval.objects().first)
        #expect(figures["count"] as? Int == 8 && (figures["accuracy"] as? Double ?? 0) > 0.8)
        // Another folder is tested as a whole, with the classes by their names.
        try writeStripes(5, in: "new")
        try FileManager.default.removeItem(at: folder.url("new/across"))
        let other = try #require(try run("eval run --data folder:new --format json").objects().first)
        #expect(other["count"] as? Int == 5 && (other["accuracy"] as? Double ?? 0) > 0.8)

        let photo = try #require(
            try run("predict run photos/along/3.png --format json").objects().first)
        let top = try #require(photo["top"] as? [[String: Any]])
        #expect(top.map { $0["class"] as? String } == ["along", "across"])
        let example = try #require(try run("predict run --index 7 --format json").objects().first)
        #expect(example["actual"] as? String == "along")

        // The data may have moved, and the run goes on.
        try FileManager.default.moveItem(at: folder.url("photos"), to: folder.url("moved"))
        #expect(try run("train --resume run --epochs 7").status == 1)
        let resumed = try run("train --resume run --data folder:moved --epochs 7")
        #expect(resumed.status == 0, "\(resumed.errors)")
        let conflict = try run("train --resume run --val-split 0.5")
        #expect(conflict.status == 1 && conflict.errors.contains("--val-split is 0.25 there, not 0.5"))
    }

    /// An estimate of what is left of a run on photos: it keeps nothing, and finds the photos where they are now.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func estimatesWhatIsLeftOfARunOnPhotos() throws {
        try writeStripes(8)
        #expect(try run(stripesTraining.replacing("--epochs 6", with: "--epochs 1")).status == 0)
        let names = try folder.names("run")
        let before = try names.map { try Data(contentsOf: folder.url("run/\($0)")) }
        let here = try run("train --resume run --epochs 4 --estimate --format json")
        #expect(here.status == 0, "\(here.errors)")
        let estimate = try #require(try here.objects().first)
        // 12 of 16 photos are trained on, 8 a step.
        #expect(estimate["epochs"] as? Int == 4 && estimate["steps"] as? Int == 8)

        try FileManager.default.moveItem(at: folder.url("photos"), to: folder.url("moved"))
        let lost = try run("train --resume run --epochs 4 --estimate")
        #expect(
            lost.status == 1 && lost.errors.contains("photos: the run's data are no longer there"),
            "\(lost.errors)")
        let moved = try run("train --resume run --data folder:moved --epochs 4 --estimate")
        #expect(moved.status == 0 && moved.output.contains("8 steps"), "\(moved.output)\(moved.errors)")
        #expect(try folder.names("run") == names)
        #expect(try names.map { try Data(contentsOf: folder.url("run/\($0)")) } == before)
    }

    /// The photos that are kept are all that there is to test on: that they choose the epoch, too, is said.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func choosingByTheTestIsSaid() throws {
        try writeStripes(8)
        let result = try run("\(stripesTraining) --keep best")
        #expect(result.status == 0, "\(result.errors)")
        let notes = result.errors.split(separator: "\n").filter { $0.contains("chosen by the photos") }
        #expect(notes.count == 1 && notes.first?.contains("too high for new photos") == true)
        let kept = try TrainedModel(runOrWeights: folder.url("run").path).epoch
        #expect(kept?.chosenBy == .testAcc)

        // Where there are others to test on, what is kept is for validation, and the run remembers it.
        try FileManager.default.createDirectory(at: folder.url("both"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(at: folder.url("photos"), to: folder.url("both/train"))
        try writeStripes(3, in: "both/test")
        let both = stripesTraining.replacing("folder:photos", with: "folder:both")
            .replacing("--run-dir run", with: "--run-dir both-run")
        let honest = try run("\(both) --keep best --max-steps 4")
        #expect(honest.status == 0 && !honest.errors.contains("chosen by"), "\(honest.errors)")
        let photos = try #require(try RunFolder(folder.url("both-run").path).readPhotos())
        #expect(photos.train.count == 12 && photos.validation?.count == 4 && photos.test.count == 6)
        let resumed = try run("train --resume both-run --max-steps 6")
        #expect(resumed.status == 0 && !resumed.errors.contains("new since"), "\(resumed.errors)")
        #expect(try RunFolder(folder.url("both-run").path).readPhotos() == photos)
    }

    /// A folder with all three parts is chosen by one and tested on another, by training and eval alike.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func chooseByValAndTestOnTest() throws {
        for (part, count) in [("train", 8), ("val", 2), ("test", 3)] {
            try writeStripes(count, in: "photos/\(part)")
        }
        let training = stripesTraining.replacing(" --val-split 0.25", with: "")
        let result = try run("\(training) --keep best --max-steps 4")
        #expect(result.status == 0 && !result.errors.contains("chosen by"), "\(result.errors)")
        let photos = try #require(try RunFolder(folder.url("run").path).readPhotos())
        #expect(photos.train.count == 16 && photos.validation?.count == 4 && photos.test.count == 6)
        #expect(photos.test.allSatisfy { $0.hasPrefix("test/") })
        let resumed = try run("train --resume run --max-steps 6")
        #expect(resumed.status == 0 && !resumed.errors.contains("new since"), "\(resumed.errors)")
        let tested = try #require(try run("eval run --data folder:photos --format json").objects().first)
        #expect(tested["count"] as? Int == 6)
        let said = try #require(try run("data folder:photos --format json").objects().first)
        #expect(said["validation"] as? Int == 4 && said["test"] as? Int == 6)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func greyNetworksSeeGreyPhotos() throws {
        try writeStripes(4)
        let result = try run("\(stripesTraining) --in-channels 1 --max-steps 1")
        #expect(result.status == 0, "\(result.errors)")
        let configuration = try RunFolder(folder.url("run").path).readConfiguration()
        #expect(try configuration.preprocessing == .plain(16, channels: .grey))
        // Weights that were grey stay grey, though photos are coloured.
        let tuned = try run(
            "train --init run --data folder:photos --val-split 0.25 --max-steps 1 --run-dir tuned")
        #expect(tuned.status == 0, "\(tuned.errors)")
        #expect(try RunFolder(folder.url("tuned").path).readConfiguration().model.inChannels == 1)
        #expect(!tuned.output.contains("new head") && !tuned.errors.contains("new head"))
        // As many classes, but others: their head is worth nothing.
        try FileManager.default.moveItem(at: folder.url("photos/across"), to: folder.url("photos/upright"))
        let others = try run(
            "train --init run --data folder:photos --val-split 0.25 --max-steps 1 --run-dir others")
        #expect(others.status == 0)
        #expect((others.output + others.errors).contains("for 2 classes instead of 2 others"))
        let other = stripesTraining.replacing("--run-dir run", with: "--run-dir normalised")
        let normalised = try run("\(other) --preprocessing imagenet --max-steps 1")
        #expect(normalised.status == 0, "\(normalised.errors)")
        #expect(try run("predict normalised photos/along/0.png").status == 0)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func dataShowsAFolder() throws {
        try writeStripes(3)
        let result = try run("data folder:photos --output sheet.png --format json")
        #expect(result.status == 0, "\(result.errors)")
        let object = try #require(try result.objects().first)
        #expect(object["name"] as? String == "photos" && object["size"] == nil)
        #expect(object["classes"] as? [String] == ["across", "along"])
        #expect(object["train_per_class"] as? [Int] == [3, 3] && object["test"] as? Int == 0)
        // Pictures of 84 pixels, three in a row for each of the classes.
        let sheet = try RGBImage(contentsOf: folder.url("sheet.png").path)
        #expect(sheet.width > 3 * 84)
    }

    @Test(arguments: [
        ("train --data folder:missing --val-split 0.2", "missing: there is no such folder", 1),
        ("train --data folder", "its name: folder:PATH", 1), ("train --data cifar10", "cifar10:PATH", 1),
        ("train --data folder:photos --data-dir photos", "--data-dir", 64),
        ("train --data folder:photos --val-split 1", "--val-split", 64),
        ("train --preprocessing imagenet", "1 input channel, but photos are prepared with 3", 64),
        ("train --data folder:photos", "--val-split 0.2", 1),
        ("train --data folder:photos --val-split 0.2 --classes 3", "--classes 2", 1),
        ("train --data folder:photos --val-split 0.2 --in-channels 2", "--in-channels 3", 1),
        ("train --data folder:empty --val-split 0.2", "has no sub-folders", 1),
        ("train --data cifar10:empty", "cifar-10-binary.tar.gz", 1),
    ]) func namesWhatIsWrongWithAFolder(_ command: String, _ says: String, _ status: Int32) throws {
        try writeStripes(2)
        try FileManager.default.createDirectory(at: folder.url("empty"), withIntermediateDirectories: true)
        let result = try run("\(command) --size 32")
        #expect(result.status == status && result.errors.contains(says), "\(result.errors)")
        #expect(try folder.names().contains("runs") == false)
    }
}
