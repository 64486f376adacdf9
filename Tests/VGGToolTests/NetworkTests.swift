import Foundation
import Testing
import VGGKit

/// Networks of all kinds of classifiers, and files whose names do not say all.
extension ToolTests {
    /// A file of random weights for a network, its layers called so.
    private func writeNetwork(
        _ name: String, _ specification: ModelSpecification, size: Int = 16,
        renaming rename: (String) -> String = { $0 }
    ) throws {
        let network = try specification.network(size: size)
        var file = Safetensors()
        for (index, parameter) in network.parameters.enumerated() {
            let random = Philox(seed: 3, stream: .initialization)
            let count = parameter.shape.reduce(1, *)
            let values = (0..<count).map {
                Float(random.word(sequence: UInt32(index), element: $0)) / Float(UInt32.max) - 0.45
            }
            file.tensors[rename(parameter.name)] = Tensor(shape: parameter.shape, values: values)
        }
        try file.write(to: folder.url(name).path)
    }

    private var small: ModelSpecification {
        var specification = ModelSpecification([(1, 4), (2, 8)], batchNorm: false)
        specification.hiddenFeatures = [6]
        return specification
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func featuresAloneAreServed() throws {
        var alone = small
        (alone.hiddenFeatures, alone.classes) = ([], 0)
        try writeNetwork("alone.safetensors", alone)
        try writeTestImage(0, to: "0.png")
        for command in [
            "predict alone.safetensors 0.png", "explain alone.safetensors 0.png --output cam.png",
            "eval alone.safetensors --data fashion-mnist",
            "predict alone.safetensors --index 0 --data fashion-mnist",
        ] {
            let result = try run(command)
            #expect(result.status == 1 && result.output.isEmpty, "\(result.errors)")
            #expect(
                result.errors.hasSuffix(
                    "error: alone.safetensors: has no classifier, only features, which vgg features writes\n")
            )
        }
        let features = try run("features alone.safetensors 0.png --layer relu2_2 --size 20 --output f.npy")
        #expect(features.status == 0 && features.errors.hasSuffix("wrote f.npy: relu2_2 [1, 8, 10, 10]\n"))

        // As another program's, and as one to train.
        let converted = try run("convert alone.safetensors alone.onnx")
        #expect(converted.status == 0 && converted.errors.hasSuffix("no classifier\n"), "\(converted.errors)")
        #expect(try folder.bytes("alone.onnx").range(of: Data("features".utf8)) != nil)
        let training = try run(
            "train --init alone.safetensors --size 16 --train-limit 64 --test-limit 64 --epochs 1 --run-dir run"
        )
        #expect(training.status == 0, "\(training.errors)")
        #expect(training.output.contains("new head: classifier.0, for 10 classes\n"))
        #expect(try run("predict run --index 0").status == 0)
    }

    /// The classifier binds neither the size of the photos nor memory, where maps are asked for.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func mapsNeedNoClassifier() throws {
        try writeNetwork("vgg.safetensors", small)
        try writeTestImage(0, to: "0.png")
        #expect(try run("features vgg.safetensors 0.png --layer pool2 --size 24 --output f.npy").status == 0)
        let vector = try run("features vgg.safetensors 0.png --layer fc3 --size 24 --output f.npy")
        #expect(vector.status == 1 && vector.errors.contains("classifier.0.weight has the shape [6, 128]"))
        // The size of the images is what the shapes say, unless an average pool makes them fit others.
        #expect(try run("predict vgg.safetensors 0.png --format json").objects().count == 1)
        #expect(try run("predict vgg.safetensors 0.png --size 24").status == 1)
        #expect(try run("predict vgg.safetensors 0.png --size 24 --pool 4").status == 0)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func whatIsPassedOverIsSaidInOneLine() throws {
        try writeNetwork("plain.safetensors", small)
        var file = try Safetensors(contentsOf: folder.url("plain.safetensors").path)
        for (name, tensor) in file.tensors {
            file.tensors[name] = nil
            file.tensors["model." + name.replacing("features.", with: "features.module.")] = tensor
        }
        file.tensors["criterion.weight"] = Tensor(zeros: [10])
        file.tensors["n_averaged"] = Tensor(zeros: [1])
        try file.write(to: folder.url("wrapped.safetensors").path)
        try writeTestImage(0, to: "0.png")
        let plain = try run("predict plain.safetensors 0.png --format json")
        let wrapped = try run("predict wrapped.safetensors 0.png --format json")
        #expect(plain.status == 0 && wrapped.output == plain.output)
        #expect(plain.errors == "note: plain.safetensors: read as 1x4,2x8 for images of 16×16 pixels\n")
        #expect(
            wrapped.errors.split(separator: "\n").last
                == "note: wrapped.safetensors: passed over 2 tensors that the network has no place for: criterion.weight, n_averaged"
        )
    }

    /// Dropout and pools are numbered alike: which it is has to be said, and then it is read.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func theWayOutOfAnErrorLeadsOut() throws {
        let places = ["features.0.", "features.3.", "features.5."]
        try writeNetwork("plain.safetensors", small)
        try writeNetwork("dropout.safetensors", small) { name in
            guard let place = places.firstIndex(where: name.hasPrefix) else { return name }
            return "features.\(3 * place).\(name.dropFirst(places[place].count))"
        }
        try writeTestImage(0, to: "0.png")
        let refused = try run("predict dropout.safetensors 0.png")
        #expect(refused.status == 1 && refused.errors.split(separator: "\n").count == 1)
        let option = try #require(refused.errors.firstMatch(of: /--conv-arch \S+/))
        #expect(option.0 == "--conv-arch 1x4,2x8", "\(refused.errors)")
        let told = try run("predict dropout.safetensors 0.png --format json \(option.0)")
        #expect(try told.output == run("predict plain.safetensors 0.png --format json").output)
        #expect(try run("convert dropout.safetensors known.safetensors \(option.0)").status == 0)
        #expect(try run("predict known.safetensors 0.png --format json").output == told.output)
        for (options, says) in [
            ("--conv-arch 2x4,1x8", "features.3 makes 8 channels"),
            ("--conv-arch 1x4", "it has 3 convolutions"),
            ("--arch vgg11", "it has 3 convolutions"),
        ] {
            let wrong = try run("predict dropout.safetensors 0.png \(options)")
            #expect(wrong.status == 1 && wrong.errors.contains(says), "\(wrong.errors)")
        }
    }

    @Test func trainsAClassifierOfAnyLength() throws {
        let training =
            greyTraining.replacing("1x8,1x16", with: "4+8,16") + " --hidden-features 12,10 --pool 3"
        #expect(try run(training).status == 0)
        let text = String(decoding: try folder.bytes("run/config.json"), as: UTF8.self)
        let description = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let model = try #require(description["model"] as? [String: Any])
        #expect(model["hidden_features"] as? [Int] == [12, 10] && model["pool"] as? Int == 3)
        #expect(model["conv_arch"] as? String == "4+8,16")
        let weights = try Safetensors(contentsOf: folder.url("run/model.safetensors").path).tensors
        #expect(
            weights["classifier.0.weight"]?.shape == [12, 8 * 9]
                && weights["features.2.weight"]?.shape == [4, 2, 3, 3])
        #expect(try run("eval run --test-limit 32").status == 0)
        // The pool makes the weights fit another size.
        #expect(try run("eval run --test-limit 32 --size 24").status == 0)
        for options in ["--pool none", "--hidden-features none", "--adaptive-pool"] {
            let resumed = try run("train --resume run --epochs 2 \(options)")
            #expect(
                resumed.status == 1
                    && resumed.errors.contains(
                        "\(options.split(separator: " ")[0] == "--adaptive-pool" ? "--pool" : options.split(separator: " ")[0]) is"
                    ), "\(resumed.errors)")
        }
        let another = try run(
            "train --init run --hidden-features none --train-limit 32 --test-limit 32 --max-steps 1 --run-dir other"
        )
        #expect(
            another.output.contains("new head: classifier.0, for 10 classes instead of 10 others"),
            "\(another.errors)")
    }

    @Test func summarizesFeaturesAlone() throws {
        let result = try run("summary --conv-arch 8+16,2x32 --classes 0 --hidden-features none --format json")
        let summary = try #require(try result.objects().first)
        let memory = try #require(summary["memory"] as? [String: Any])
        #expect(memory["training"] == nil && memory["inference"] as? Int ?? 0 > 0)
        #expect((summary["blocks"] as? [[String: Any]])?.count == 2)
        let text = try run("summary --hidden-features 512 --pool 7 --by layer --size 64")
        #expect(text.output.contains("AdaptiveAvgPool2d") && text.output.contains("[1, 512]"))
    }
}
