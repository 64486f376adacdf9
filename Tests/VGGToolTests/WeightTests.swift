import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// Changes one tensor of a run's weights and writes them to a file of their own.
    private func writeWeights(_ file: String, changing name: String, _ change: (Tensor) -> Tensor) throws {
        var weights = try Safetensors(contentsOf: folder.url("run/model.safetensors").path)
        weights.tensors[name] = change(try #require(weights.tensors[name]))
        try weights.write(to: folder.url(file).path)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func weightsThatCannotBeRightAreRefused() throws {
        let training = greyTraining.replacing("--conv-arch", with: "--arch vgg11_bn --conv-arch")
        #expect(try run(training).status == 0)
        try writeTestImage(0, to: "0.png")
        try writeWeights("infinite.safetensors", changing: "classifier.6.bias") { tensor in
            var tensor = tensor
            tensor.values[0] = .infinity
            return tensor
        }
        // A batch norm of one channel, which the file's metadata say nothing about.
        try writeWeights("short.safetensors", changing: "features.1.running_mean") { _ in
            Tensor(shape: [1], values: [0])
        }
        for command in ["predict", "explain"] {
            let output = command == "explain" ? " --output cam.png" : ""
            let infinite = try run("\(command) infinite.safetensors 0.png\(output)")
            #expect(infinite.status == 1 && infinite.errors.contains("not finite"), "\(infinite.errors)")
            let short = try run("\(command) short.safetensors 0.png\(output)")
            #expect(short.status == 1, "\(short.errors)")
            #expect(
                short.errors.contains("features.1.running_mean has the shape [1] where"), "\(short.errors)")
        }
        #expect(try !folder.names().contains("cam.png"))
    }

    @Test func weightsThatNameNoDataAreNotTestedOnAny() throws {
        #expect(try run(greyTraining).status == 0)
        let tensors = try Safetensors(contentsOf: folder.url("run/model.safetensors").path).tensors
        try Safetensors(tensors: tensors).write(to: folder.url("plain.safetensors").path)
        for command in ["eval plain.safetensors --size 16", "predict plain.safetensors --index 0 --size 16"] {
            let result = try run(command)
            #expect(
                result.status == 1 && result.errors.contains("name the data with --data"), "\(result.errors)")
            #expect(try run("\(command) --data fashion-mnist").status == 0)
        }
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func nothingSpeaksForAClassWithoutWeights() throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(0, to: "0.png")
        try writeWeights("blind.safetensors", changing: "classifier.0.weight") { tensor in
            Tensor(zeros: tensor.shape)
        }
        let result = try run("explain blind.safetensors 0.png --output cam.png")
        #expect(result.status == 0 && result.errors.contains("nothing speaks for class"), "\(result.errors)")
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func aPipeInAFolderIsPassedOver() throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(0, to: "photos/0.png")
        let result = try run("predict run photos --format json", shell: "mkfifo photos/1.png")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try result.objects().map { $0["file"] as? String } == ["photos/0.png"])
    }

    /// Files with the names of a run's that belong to none are not replaced.
    @Test func somebodyElsesFilesStay() throws {
        try FileManager.default.createDirectory(at: folder.url("run"), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: folder.url("run/model.safetensors"))
        let result = try run(greyTraining)
        #expect(result.status == 1 && result.errors.contains("run/model.safetensors: is there already"))
        #expect(try folder.bytes("run/model.safetensors") == Data("mine".utf8))
    }

    /// What would be passed over in silence is refused, and features that do not fit before the work begins.
    @Test(
        .enabled(if: ImageFormat.png.isSupported),
        arguments: [
            ("explain run 0.png --output cam.png --precision bf16", "", "single precision"),
            ("explain run 0.png 1.png --output cam.png", "", "Unexpected argument '1.png'"),
            ("features run 0.png --layer relu1_1 --output f.npy --labels names.txt", "", "--labels"),
            (
                "features run 0.png --layer relu1_1 --output f.npy", "export VGG_MAX_MEMORY=1000",
                "use --pool avg"
            ),
            ("explain run 0.png --output cam.png", "export VGG_MAX_MEMORY=1000", "MB of memory"),
            ("explain run 0.png --output cam.jpg", "", "must end in .png"),
            ("explain run 0.png --output no/cam.png", "", "no/cam.png: cannot be written"),
            ("features run 0.png --layer relu1_1 --output no/f.npy", "", "no/f.npy: cannot be written"),
            ("train --data folder: --run-dir other", "", "--data"),
            ("bench --size 32 --batch-size 64", "export VGG_MAX_MEMORY=1000", "MB of memory"),
        ])
    func whatCannotBeDoneIsSaid(_ arguments: String, _ shell: String, _ said: String) throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(0, to: "0.png")
        let result = try run(arguments, shell: shell.isEmpty ? nil : shell)
        #expect(result.status != 0)
        #expect(result.errors.contains(said), "\(result.errors)")
    }
}
