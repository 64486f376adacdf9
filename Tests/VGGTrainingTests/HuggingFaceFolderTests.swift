import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGImages
import VGGInference
import VGGTestSupport
import VGGTraining

/// Folders as Hugging Face's libraries and timm save a model.
@Suite struct HuggingFaceFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Puts a golden weight file of five classes into the folder, and texts beside it.
    private func model(_ golden: String, as name: String, _ texts: [String: String]) throws -> TrainedModel {
        let source = Bundle.module.bundleURL.appending(path: "Goldens/\(golden)")
        try FileManager.default.copyItem(at: source, to: folder.url(name))
        for (name, text) in texts { try Data(text.utf8).write(to: folder.url(name)) }
        return try TrainedModel(runOrWeights: folder.path)
    }

    /// A run's configuration without its format, as somebody's edit leaves it, is no model of theirs.
    @Test func isNoRunThatLacksItsFormat() throws {
        let texts = [
            "config.json": #"{"epochs": 2, "model": {"arch": "vgg11"}, "optimizer": {"learning_rate": 0.1}}"#
        ]
        let model = try model("tiny.safetensors", as: "model.safetensors", texts)
        #expect(model.run?.path == folder.path)
    }

    private let classes = #""id2label": {"1": "b", "0": "a", "2": "c", "4": "e", "3": "d"}"#

    @Test(arguments: [("tiny.safetensors", "model.safetensors"), ("tiny.pth", "pytorch_model.bin")])
    func opensWithItsClassesAndItsPreparation(_ golden: String, _ name: String) throws {
        let processor = """
            {"do_resize": true, "size": {"shortest_edge": 16}, "do_center_crop": true,
             "crop_size": {"height": 12, "width": 12}, "do_rescale": true, "rescale_factor": 0.00392156862745098,
             "do_normalize": true, "image_mean": [0.5, 0.25, 0.125], "image_std": [1, 2, 4], "resample": 2}
            """
        let model = try model(
            golden, as: name,
            ["config.json": #"{"model_type": "vgg", \#(classes)}"#, "preprocessor_config.json": processor])
        let stored = try #require(model.stored)
        #expect(stored.model.convArch == "1x4,2x8" && stored.model.classes == 5)
        #expect(model.classNames == ["a", "b", "c", "d", "e"])
        let expected = try Preprocessing(
            resize: 16, size: 12, channels: .rgb, range: .unit, mean: [0.5, 0.25, 0.125], std: [1, 2, 4])
        #expect(model.preprocessing == expected)
        let weights = try WeightFile(contentsOf: folder.url(name).path).tensors
        #expect(model.path == folder.url(name).path && model.weights == weights)
    }

    @Test func opensOneOfTimms() throws {
        let config = """
            {"architecture": "vgg11", "num_classes": 5, "pretrained_cfg": {"input_size": [3, 14, 14],
             "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "crop_pct": 0.875}}
            """
        let model = try model("tiny.safetensors", as: "model.safetensors", ["config.json": config])
        let preprocessing = try #require(model.preprocessing)
        #expect(preprocessing.resize == 16 && preprocessing.size == 14)
        #expect(preprocessing.mean == Preprocessing.imageNet.mean && model.classNames == nil)
    }

    /// Names of another number of classes are of another model, and no preparation is known.
    @Test func takesNoNamesThatDoNotFit() throws {
        let config = #"{"id2label": {"0": "a", "1": "b"}}"#
        let model = try model("tiny.safetensors", as: "model.safetensors", ["config.json": config])
        #expect(model.classNames == nil && model.preprocessing == nil)
    }

    @Test func whatIsNoneOfTheseIsNamed() throws {
        #expect(throws: NoRunError(folder: folder.path)) {
            try TrainedModel(runOrWeights: folder.path)
        }
        try Data().write(to: folder.url("saved_model.pb"))
        let error = #expect(throws: FileError.self) { try TrainedModel(runOrWeights: folder.path) }
        #expect(error?.reason.hasPrefix("is a TensorFlow SavedModel") == true)
    }
}
