import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// Networks and logits are PyTorch's (Scripts/goldens/weight_files.py).
@Suite struct TrainedModelTests {
    private func golden(_ name: String) -> String {
        Bundle.module.bundleURL.appending(path: "Goldens/\(name)").path
    }

    private func expectLogits(_ path: String, of name: String, size: Int? = nil) throws {
        let expected = try Safetensors(contentsOf: golden("\(name)-logits.safetensors")).tensors
        let images = try #require(expected["images"])
        let logits = try #require(expected["logits"])
        let model = try TrainedModel(runOrWeights: path)
        let stored = try #require(model.stored)
        #expect(model.problem == nil)
        let network = try stored.model.network(size: size ?? stored.size)
        let executor = try model.executor(
            for: network, batchSize: 2, precision: .fp32, device: .cpu(threads: 1))
        let computed = executor.logits(
            try ImageBatch(
                channelsFirst(images.values, channels: 3, pixels: network.input.count / 3), count: 2,
                shape: network.input))
        expectClose(computed, logits.values, tolerance: 1e-5, absolute: 0, "logits of \(path)")
    }

    @Test(arguments: ["tiny.pth", "tiny-timm-legacy.pth", "tiny.safetensors"])
    func computesPyTorchsLogits(_ file: String) throws {
        try expectLogits(golden(file), of: "tiny")
    }

    /// At a size the adaptive pool's windows differ.
    @Test func averagesToSevenBySeven() throws {
        try expectLogits(golden("pooled.pth"), of: "pooled", size: 20)
    }

    @Test(arguments: WeightNaming.allCases) func writesWhatItReads(_ naming: WeightNaming) throws {
        let folder = try TemporaryFolder()
        let original = try TrainedModel(runOrWeights: golden("tiny.pth"))
        let stored = try #require(original.stored)
        var belonging = stored
        belonging.labels = ["a", "b", "c", "d", "é"]
        let path = "\(folder.path)/weights"
        let network = try stored.model.network(size: stored.size)
        try original.writeSafetensors(network, belonging, naming: naming, to: path)
        let written = try TrainedModel(runOrWeights: path)
        #expect(written.stored == belonging)
        #expect(try written.tensors(for: network) == original.tensors(for: network))
        #expect(Set(written.weights.names) == Set(try #require(naming.entries(of: network)).map(\.name)))
        try expectLogits(path, of: "tiny")
    }

    /// Texts of others travel along; a training's state stays.
    @Test func keepsWhatBelongsToTheWeights() throws {
        let folder = try TemporaryFolder()
        var specification = ModelSpecification([(1, 2)], batchNorm: false)
        specification.hiddenFeatures = [4, 4]
        let network = try specification.network(size: 4)
        let stored = StoredModel(
            model: specification, size: 4, data: "fashion-mnist", labels: (0..<10).map { "class \($0)" })
        let (input, output) = ("\(folder.path)/in", "\(folder.path)/out")
        try Safetensors(
            tensors: NamedTensors(
                network.parameters.map { (name: $0.name, tensor: Tensor(zeros: $0.shape)) }),
            metadata: ["author": "somebody", "vgg.state": "{}"]
        ).write(to: input)
        try TrainedModel(runOrWeights: input)
            .writeSafetensors(network, stored, naming: .torchvision, to: output)
        let metadata = try SafetensorsHeader(contentsOf: output).metadata
        #expect(Set(metadata.keys) == ["author", "format", "vgg.model"])
        #expect(try TrainedModel(runOrWeights: output).stored == stored)
    }

    @Test func writesNothingThatDoesNotFit() throws {
        let folder = try TemporaryFolder()
        let model = try TrainedModel(runOrWeights: golden("tiny.pth"))
        var stored = try #require(model.stored)
        stored.model.classes = 6
        let network = try stored.model.network(size: stored.size)
        let path = "\(folder.path)/weights"
        let error = #expect(throws: FileError.self) { try model.writeONNX(network, stored, to: path) }
        #expect(error?.path == model.path && error?.reason.contains("classifier.6.weight") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func saysWhyAFileIsNoVGG() throws {
        let model = try TrainedModel(runOrWeights: golden("tiny-logits.safetensors"))
        #expect(model.stored == nil && model.problem == NotVGGError("there are no convolutions"))
    }
}
