import Foundation
import Testing
import VGGKit

/// The model that is a part of the program.
extension ToolTests {
    /// A dark pair of trousers on light grey, as somebody would photograph them.
    private func writeTrousers(_ name: String) throws {
        var bitmap = Bitmap(width: 90, height: 120)
        for y in 0..<120 {
            for x in 0..<90 {
                let isTrousers =
                    (15..<105).contains(y)
                    && (y < 35 ? (28..<62).contains(x) : (28..<43).contains(x) || (47..<62).contains(x))
                bitmap[x, y] = isTrousers ? Colour(0x283050) : Colour(0xE8E4E0)
            }
        }
        try bitmap.pngData().write(to: folder.url(name))
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func knowsTrousersWithoutAnyTraining() throws {
        try writeTrousers("photo.png")
        let result = try run(
            "predict fashion-mnist photo.png --preprocessing garment --top 1 --format json --seen seen.png")
        #expect(result.status == 0, "\(result.errors)")
        let top = try #require(try result.objects().first?["top"] as? [[String: Any]])
        #expect(top.first?["class"] as? String == "trouser")
        let seen = try RGBImage(contentsOf: folder.url("seen.png").path)
        #expect(seen.width > 84 && seen.height > 84)
        // The same as a library does it.
        let preprocessing = try #require(try TrainedModel(shipped: .fashionMNIST).preprocessing).looking(
            for: .garment)
        let crop = preprocessing.crop(try RGBImage(contentsOf: folder.url("photo.png").path))
        // Trousers fill the square from top to bottom, and nothing is beside them.
        #expect(crop.pixels[3 * (27 * 28 + 10)] > 150 && crop.pixels[3 * (14 * 28 + 2)] == 0)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func everyCommandTakesItsName() throws {
        try writeTrousers("photo.png")
        for arguments in [
            "features fashion-mnist photo.png --preprocessing garment --layer relu3_2 --pool avg --output a.npy",
            "explain fashion-mnist photo.png --preprocessing garment --output a.png",
            "convert fashion-mnist a.onnx", "convert fashion-mnist a.safetensors",
            "train --init fashion-mnist --data fashion-mnist --train-limit 64 --test-limit 32 --epochs 1 --run-dir a",
        ] {
            let result = try run(arguments)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
        }
        // What looks at pictures alone needs no layer's name, whatever layers the network has.
        let alike = try run("distance photo.png photo.png --size 28 --weights fashion-mnist --format json")
        #expect(try alike.objects().first?["distance"] as? Double == 0, "\(alike.errors)")
        let written = try run("convert fashion-mnist a.safetensors --format json").objects().first
        #expect(written?["classes"] as? Int == 10 && written?["parameters"] as? Int == 2_329_802)
        // What is read is not replaced, not even by its own picture.
        for arguments in [
            "predict fashion-mnist photo.png --seen photo.png",
            "explain fashion-mnist photo.png --output photo.png",
        ] {
            let refused = try run(arguments)
            #expect(
                refused.status == 1 && refused.errors.contains("is the file that is read"), "\(arguments)")
        }
        // What it says of itself is kept, and the numbers are exact.
        let (shipped, converted) = (
            try TrainedModel(shipped: .fashionMNIST),
            try TrainedModel(runOrWeights: folder.url("a.safetensors").path)
        )
        #expect(shipped.stored == converted.stored)
        #expect(shipped.weights.dictionary == converted.weights.dictionary)
        #expect(shipped.training == converted.training && shipped.epoch == converted.epoch)
        let configuration = try RunFolder(folder.url("a").path).readConfiguration()
        #expect(configuration.initialWeights == "fashion-mnist")
    }

    /// What it must say of itself, and how large it may be.
    @Test func saysHowItWasTrained() throws {
        let model = try TrainedModel(shipped: .fashionMNIST)
        let stored = try #require(model.stored)
        #expect(stored.data == "fashion-mnist" && stored.labels?.count == 10 && stored.preprocessing != nil)
        let (training, epoch) = (try #require(model.training), try #require(model.epoch))
        // The test had no say in which epoch it is.
        #expect(epoch.chosenBy == .last && epoch.epoch == training.epochs)
        #expect(training.data == "fashion-mnist" && training.dataDirectory == nil)
        let result = try run("convert fashion-mnist a.safetensors --dtype fp16")
        #expect(result.status == 0)
        #expect(try folder.bytes("a.safetensors").count < 10_000_000)
        #expect(try TrainedModel(runOrWeights: folder.url("a.safetensors").path).weights == model.weights)
    }

    /// Of a thousand test images about as many as of all.
    @Test func knowsFashion() throws {
        let result = try run("eval fashion-mnist --test-limit 1000 --format json")
        #expect(result.status == 0, "\(result.errors)")
        let accuracy = try #require(try result.objects().first?["accuracy"] as? Double)
        #expect(accuracy > 0.93)
    }

    /// It is in the program itself; a file of its name has the right of way.
    @Test func needsNothingBesideTheProgram() throws {
        let program = try #require(Program.path)
        try FileManager.default.copyItem(atPath: program, toPath: folder.url("elsewhere").path)
        let copied = try run("help", shell: "./elsewhere convert fashion-mnist a.safetensors")
        #expect(copied.errors.contains("wrote a.safetensors"), "\(copied.errors)")

        try Data("not weights at all".utf8).write(to: folder.url("fashion-mnist"))
        let file = try run("convert fashion-mnist b.safetensors")
        #expect(file.status == 1 && file.errors.contains("fashion-mnist: is no weight file"))
    }
}
