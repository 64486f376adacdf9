import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// Files as people's scripts write them, with what PyTorch computes (Scripts/goldens/networks.py).
@Suite struct NetworkFileTests {
    struct Case: Decodable {
        var rows: String
        var hidden: [Int]
        var classes: Int
        var size: Int
        var logits: [Float]?
        var features: [Float]?
        var layer: String?
        /// Must be said, because the names leave more than one answer.
        var convArch: String?
        var refused: String?
        var passedOver: String?
    }

    private static let folder = Bundle.module.bundleURL.appending(path: "Goldens/networks")

    private static let cases: [String: Case] = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = try! Data(contentsOf: folder.appending(path: "expected.json"))
        return try! decoder.decode([String: Case].self, from: data)
    }()

    private func path(_ name: String) -> String { Self.folder.appending(path: name).path }

    private func image(size: Int) throws -> ImageBatch {
        let image = try #require(Safetensors(contentsOf: path("images.safetensors")).tensors["images"])
        let pixels: [Float] = (0..<size).flatMap { y in image.values[y * 32 * 3..<(y * 32 + size) * 3] }
        return try ImageBatch(
            channelsFirst(pixels, channels: 3, pixels: size * size),
            shape: .map(channels: 3, height: size, width: size))
    }

    @Test(arguments: cases.keys.sorted()) func computesWhatPyTorchDoes(_ name: String) throws {
        let expected = try #require(Self.cases[name])
        if let refused = expected.refused {
            let model = try TrainedModel(runOrWeights: path(name))
            let problem = try #require(model.problem)
            #expect(model.stored == nil && problem.reason.hasPrefix(refused), "\(problem)")
            #expect(problem.suggestion?.description == expected.convArch)
        }
        let model = try TrainedModel(
            runOrWeights: path(name), convArch: try expected.convArch.map(ConvArch.init(parsing:)))
        let stored = try #require(model.stored, "\(String(describing: model.problem))")
        let norms = stored.model.hasBatchNorm ? " with batch norm" : ""
        let note =
            expected.layer == nil
            ? " for images of \(expected.size)×\(expected.size) pixels" : ", without a classifier"
        #expect(model.notes.first == "read as \(expected.rows)\(norms)\(note)")
        #expect(
            model.notes.dropFirst().first?.contains(expected.passedOver ?? "?")
                ?? (expected.passedOver == nil))
        #expect(stored.model.hiddenFeatures == expected.hidden && stored.model.classes == expected.classes)
        #expect(stored.size == expected.size && model.isRecognized)

        let network = try stored.model.network(size: expected.layer == nil ? expected.size : 32)
        let pixels = try image(size: expected.layer == nil ? expected.size : 32)
        if let layer = expected.layer {
            let index = try network.layerIndex(named: layer)
            let executor = try model.executor(
                for: network, batchSize: 1, keeping: [index], device: .cpu(threads: 1))
            let maps = try #require(executor.features(pixels)[index])
            expectClose(maps.values, expected.features ?? [], "\(name) \(layer)")
            #expect(throws: PlanError.self) {
                try model.executor(for: network, batchSize: 1, device: .cpu(threads: 1))
            }
        } else {
            let executor = try model.executor(for: network, batchSize: 1, device: .cpu(threads: 1))
            expectClose(executor.logits(pixels), expected.logits ?? [], name)
        }
    }

    /// Networks of other classifiers leave under every name that there is for them, and come back.
    @Test(
        arguments: ["one-linear.pth", "four-linear.pth", "two-linear-no-bias.pth", "timm.pth", "bare.pth"],
        WeightNaming.allCases)
    func survivesConversion(_ name: String, _ naming: WeightNaming) throws {
        let model = try TrainedModel(runOrWeights: path(name))
        let stored = try #require(model.stored)
        let network = try stored.model.network(size: stored.size)
        let output = "\(try TemporaryFolder().path).safetensors"
        defer { try? FileManager.default.removeItem(atPath: output) }
        guard naming.entries(of: network) != nil else {
            #expect(naming == .timm && stored.model.hiddenFeatures.count != 2)
            return
        }
        try model.writeSafetensors(network, stored, naming: naming, to: output)
        let written = try TrainedModel(runOrWeights: output)
        #expect(written.stored == stored && written.notes == [])
        #expect(try written.tensors(for: network) == model.tensors(for: network))
        // And without what the file says about itself: d2l's blocks alone do not tell themselves from single layers.
        if naming != .d2l || stored.model.classes > 0 {
            let plain = try InferredModel(Safetensors(contentsOf: output).tensors)
            #expect(plain.specification == stored.model && plain.size == stored.size)
        }
    }

    /// Features get a classifier, and another classifier starts anew.
    @Test(
        arguments: [
            ("bare.pth", [], nil, "classifier.0", 0), ("bare.pth", [7], nil, "classifier", 0),
            ("caffe.pth", [6, 7], nil, "classifier.6", 5), ("caffe.pth", [9], nil, "classifier", 5),
            ("caffe.pth", [6, 8], nil, "classifier", 5), ("caffe.pth", [6, 7], 2, "classifier", 5),
        ] as [(String, [Int], Int?, String, Int)])
    func startsFromFeatures(_ name: String, _ hidden: [Int], _ pool: Int?, _ layer: String, _ classes: Int)
        throws
    {
        let weights = try TrainedModel(runOrWeights: path(name))
        var configuration = TrainingConfiguration()
        configuration.model = try #require(weights.stored).model
        configuration.model.classes = 4
        configuration.model.hiddenFeatures = hidden
        configuration.model.pool = pool
        configuration.data = "noise"
        configuration.size = 32
        configuration.batchSize = 4
        configuration.maxSteps = 1
        configuration.freeze = .features
        configuration.initialWeights = path(name)
        configuration.precision = .fp32
        let random = Philox(seed: 7, stream: .shuffle)
        let data = ImageDataset(
            name: "noise", height: 8, width: 8, channels: 3,
            pixels: (0..<4 * 192).map { UInt8(random.word(sequence: 0, element: $0) % 256) },
            labels: [0, 1, 2, 3], classNames: ["a", "b", "c", "d"])
        let folder = try TemporaryFolder()
        var head: NewHead?
        let setup = try TrainingSetup(
            configuration, training: data, test: data, device: .cpu(threads: 1), folder: folder.run("run"))
        _ = try Trainer(setup).run { event in
            if case .started(let start) = event { head = start.newHead }
        }
        #expect(head?.layer == layer && head?.classes == 4 && head?.classesOfFile == classes)
        // What is frozen is what the file has, and the run remembers its classifier.
        let trained = try TrainedModel(runOrWeights: folder.run("run").path)
        let network = try configuration.model.network(size: 32)
        let (before, after) = (try weights.tensors(for: network), try trained.tensors(for: network))
        for name in network.parameters.map(\.name) where name.hasPrefix("features") {
            #expect(after[name] == before[name], "\(name)")
        }
        #expect(trained.stored?.model == configuration.model)
    }
}
