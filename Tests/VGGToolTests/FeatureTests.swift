import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// The last layer's features are the logits; the others are judged by PyTorch's in VGGEngineTests.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func featuresAreWrittenForEveryPhotoThatCanBeRead()
        throws
    {
        #expect(try run(greyTraining).status == 0)
        for index in 0..<3 { try writeTestImage(index, to: "photos/\(index).png") }
        try Data("no picture".utf8).write(to: folder.url("photos/1a.png"))
        let logits = try run("predict run photos --format json").objects().compactMap {
            $0["logits"] as? [Double]
        }
        let result = try run(
            "features run photos --layer fc5,relu1_1,pool2 --batch-size 2 --output f.safetensors --format json"
        )
        #expect(result.status == 1 && result.errors.contains("photos/1a.png"))
        let report = try #require(try result.objects().first)
        #expect(report["files"] as? [String] == (0..<3).map { "photos/\($0).png" })
        let problems = try #require(report["problems"] as? [[String: String]])
        #expect(problems.map { $0["file"] } == ["photos/1a.png"])
        #expect(problems[0]["error"]?.contains("is no JPEG") == true)
        let nothing = try run("features run photos/1a.png --layer fc5 --output n.npy --format json")
        #expect(try nothing.status == 1 && nothing.objects().first?["files"] as? [String] == [])
        #expect(try !folder.names().contains("n.npy"))
        let file = try Safetensors(contentsOf: folder.url("f.safetensors").path)
        #expect(
            file.tensors.dictionary.mapValues(\.shape) == [
                "fc5": [3, 10], "relu1_1": [3, 4, 16, 16], "pool2": [3, 8, 4, 4],
            ])
        let found = try #require(file.tensors["fc5"]).values
        for index in 0..<3 {
            #expect(Array(found[index * 10..<(index + 1) * 10]) == logits[index].map(Float.init))
        }

        #expect(try run("features run photos/0.png --layer pool2 --pool avg --output a.npy").status == 0)
        let array = try folder.bytes("a.npy")
        #expect(array.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]) && array.count % 64 == 8 * 4 % 64)
        #expect(String(decoding: array.prefix(128), as: UTF8.self).contains("'shape': (1, 8)"))
        let first = array.suffix(8 * 4).withUnsafeBytes { $0.loadUnaligned(as: Float.self) }
        let map = try #require(file.tensors["pool2"]).values.prefix(16)
        #expect(abs(first - map.reduce(0, +) / 16) < 1e-6)
        #expect(try run("features run photos/0.png --layer pool2 --pool max --output m.npy").status == 0)
        let largest = try folder.bytes("m.npy").suffix(8 * 4).withUnsafeBytes {
            $0.loadUnaligned(as: Float.self)
        }
        #expect(largest == map.max() && largest != first)
    }

    @Test func refusesFeaturesThatCannotBeWritten() throws {
        #expect(try run(greyTraining).status == 0)
        for (arguments, status, problem) in [
            ("--layer relu1_1 --output f.txt", 64, "must end in .npy or .safetensors"),
            ("--layer relu1_1,pool1 --output f.npy", 64, "holds one layer"),
            ("--layer relu1_1,relu1_1 --output f.safetensors", 64, "different ones"),
            (
                "--layer relu9_1 --output f.npy", 1,
                "there is no layer 'relu9_1'; the layers are conv1_1, relu1_1"
            ),
        ] {
            let result = try run("features run photo.png \(arguments)")
            #expect(result.status == Int32(status) && result.errors.contains(problem), "\(result.errors)")
        }
        #expect(try run("features run --layer relu1_1 --output f.npy").status == 64)
        #expect(try folder.names().allSatisfy { !$0.hasPrefix("f.") })
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func explainsAClass() throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(0, to: "0.png")
        let likeliest = try run("explain run 0.png --output cam.png --format json")
        #expect(likeliest.status == 0, "\(likeliest.errors)")
        let report = try #require(try likeliest.objects().first)
        let guess = try #require(
            (try run("predict run 0.png --format json").objects().first?["top"] as? [[String: Any]])?.first)
        #expect(report["class"] as? String == guess["class"] as? String)
        #expect(report["layer"] as? String == "relu2_1")
        let map = try #require(report["map"] as? [[Double]])
        #expect(map.count == 8 && map.allSatisfy { $0.count == 8 && $0.allSatisfy { $0 >= 0 } })
        let picture = try RGBImage(contentsOf: folder.url("cam.png").path)
        #expect(picture.width == 16 && picture.height == 16)
        for (arguments, problem) in [
            ("--class 10", "--class must be 0 to 9"), ("--layer fc3", "makes a vector"),
            ("--layer relu3_1", "there is no layer"),
        ] {
            let result = try run("explain run 0.png --output other.png \(arguments)")
            #expect(result.status != 0 && result.errors.contains(problem), "\(result.errors)")
        }
        #expect(try !folder.names().contains("other.png"))
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func explainsByEveryMethod() throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(0, to: "0.png")
        let methods = [
            "saliency", "grad-cam", "smoothgrad", "guided-backprop", "integrated-gradients", "occlusion",
            "class-model",
        ]
        let all = try run(
            "explain run 0.png --class 2 --method \(methods.joined(separator: ",")) --output all.png --format json"
        )
        #expect(all.status == 0, "\(all.errors)")
        let reports = try all.objects()
        #expect(reports.map { $0["method"] as? String } == methods)
        for report in reports {
            let isGradCAM = report["method"] as? String == "grad-cam"
            #expect((report["layer"] as? String) == (isGradCAM ? "relu2_1" : nil))
            #expect(report["label"] as? Int == 2)
            let map = try #require(report["map"] as? [[Double]])
            #expect(map.count == (isGradCAM ? 8 : 16) && map.allSatisfy { $0.count == map.count })
            #expect(map.contains { $0.contains { $0 != 0 } }, "\(report["method"] ?? "")")
        }
        // The photo and seven pictures, four a row, each ten times as large.
        let sheet = try RGBImage(contentsOf: folder.url("all.png").path)
        #expect(sheet.width > 4 * 160 && sheet.height > 2 * 160)
        // The same numbers where a method is alone, and a picture of the network's size.
        let alone = try run("explain run 0.png --class 2 --method occlusion --output one.png --format json")
        #expect(try alone.objects().first?["map"] as? [[Double]] == reports[5]["map"] as? [[Double]])
        #expect(try RGBImage(contentsOf: folder.url("one.png").path).width == 16)
        for (arguments, problem) in [
            ("--method saliency --layer relu1_1", "--layer is for grad-cam"),
            ("--method saliency,saliency", "saliency,saliency"), ("--method lime", "lime"),
        ] {
            let result = try run("explain run 0.png --output other.png \(arguments)")
            #expect(result.status != 0 && result.errors.contains(problem), "\(result.errors)")
        }
    }
}
