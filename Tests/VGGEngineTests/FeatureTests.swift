import Testing
import VGGCPU
import VGGEngine
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport

/// A small network, its weights and images, and what PyTorch's layers make of these.
struct FeatureCase {
    let network: Network
    let weights: [String: Tensor]
    let images: ImageBatch
    let golden: [String: Tensor]
    /// Layer names of the golden, and the kept layers.
    let names: [String]

    init(_ name: String) throws {
        let file = try VGGEngineTests.golden("features")
        let batchNorm = name == "batch-norm"
        network = try Network(
            input: .map(channels: 3, height: 14, width: 14),
            blocks: [
                vggBlock(2, 3, 10, batchNorm: batchNorm), vggBlock(1, 10, 18, batchNorm: batchNorm),
                .sequential([
                    .flatten, .linear(Linear(18 * 9, 12)), .relu, .dropout(0.5), .linear(Linear(12, 7)),
                ]),
            ])
        func under(_ prefix: String) -> [String: Tensor] {
            let chosen = file.tensors.dictionary.filter { $0.key.hasPrefix("\(name)/\(prefix)/") }
            return Dictionary(
                uniqueKeysWithValues: chosen.map {
                    (String($0.key.dropFirst(name.count + prefix.count + 2)), $0.value)
                })
        }
        weights = under("weights")
        golden = under("features").merging(
            under("cam").map { ("cam/" + $0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        names = under("features").keys.sorted()
        images = try ImageBatch(
            Array(try #require(file.tensors["images"]).values), count: 2, shape: network.input)
    }
}

/// Inner layers and Grad-CAM, against PyTorch's hooks (Scripts/goldens/features.py).
@Suite struct FeatureTests {
    @Test(arguments: ["plain", "batch-norm"], TestedDevice.allAndReference)
    func everyLayerIsPyTorchs(_ name: String, on tested: TestedDevice) throws {
        let example = try FeatureCase(name)
        let indices = try example.names.map { try example.network.layerIndex(named: $0) }
        #expect(indices.count == example.network.layers.count - 1, "every layer but flatten")
        // Alone, so that everything else is fused; and all at once.
        for kept in indices.map({ [$0] }) + [indices] {
            let executor = try Executor(
                plan: try Plan(example.network, batchSize: 3, mode: .inference, keeping: Set(kept)),
                device: tested.device)
            try executor.load(example.weights)
            let features = executor.features(example.images)
            #expect(Set(features.keys) == Set(kept))
            for index in kept {
                let name = example.network.layers[index].name
                let expected = try #require(example.golden[name])
                #expect(features[index]?.shape == expected.shape)
                expectClose(try #require(features[index]).values, expected.values, "\(name)")
            }
        }
    }

    @Test(arguments: ["plain", "batch-norm"], TestedDevice.allAndReference)
    func gradCAMIsPyTorchs(_ name: String, on tested: TestedDevice) throws {
        let example = try FeatureCase(name)
        let image = example.images[0..<1]
        let maps = example.golden.filter { $0.key.hasPrefix("cam/") }
        #expect(maps.count == 2 * (name == "plain" ? 8 : 11))
        for (key, expected) in maps {
            let parts = key.split(separator: "/")
            let explained = try GradCAM(
                example.network, weights: example.weights, layer: String(parts[1]), device: tested.device)
            let map = try explained.map(of: image, class: try #require(Int(parts[2])))
            #expect(map.shape == expected.shape)
            expectClose(map.values, expected.values, "\(key)")
        }
        let explained = try GradCAM(example.network, weights: example.weights, device: tested.device)
        #expect(explained.layer == "relu2_1")
        expectClose(
            try explained.logits(image),
            try #require(example.golden["classifier.3"]).values.prefix(7),
            "logits")
    }

    @Test func namesLayersAsTheLiteratureDoes() throws {
        var specification = ModelSpecification()
        specification.arch = "vgg16"
        let vgg16 = try specification.network(size: 32)
        for (name, layer) in [
            ("relu1_2", "features.3"), ("relu2_2", "features.8"), ("relu3_3", "features.15"),
            ("relu4_3", "features.22"), ("conv5_3", "features.28"), ("relu5_3", "features.29"),
            ("pool5", "features.30"), ("fc6", "classifier.0"), ("relu7", "classifier.4"),
            ("fc8", "classifier.6"),
        ] {
            #expect(try vgg16.layers[vgg16.layerIndex(named: name)].name == layer)
        }
        let error = #expect(throws: ModelError.self) { try vgg16.layerIndex(named: "relu6_1") }
        #expect("\(error!)".contains("conv1_1, relu1_1"))
    }

    @Test func perceptualDistanceIsTheMeanSquare() throws {
        let example = try FeatureCase("plain")
        let extractor = try example.network.features(at: "relu1_1", "pool2", device: .cpu)
        try extractor.executor.load(example.weights)
        let (a, b) = (example.images[0..<1], example.images[1..<2])
        let expected = try [("features.1", 1960), ("features.7", 162)].reduce(0.0) { sum, layer in
            let values = try #require(example.golden[layer.0]).values
            let squares = (0..<layer.1).map { pow2(Double(values[$0]) - Double(values[$0 + layer.1])) }
            return sum + squares.reduce(0, +) / Double(layer.1)
        }
        #expect(try abs(extractor.perceptualDistance(a, b) - expected) < 1e-5 * expected)
        #expect(try extractor.perceptualDistance(a, a) == 0)
    }

    /// What a device leaves that has failed is no answer.
    @Test func aLostDeviceIsThrown() throws {
        let failure = DeviceError.lost(device: "reference", reason: "a cable")
        let device = Device(name: "reference", ReferenceBackend(failure: failure))
        let example = try FeatureCase("plain")
        let image = example.images[0..<1]
        let explained = try GradCAM(example.network, weights: example.weights, device: device)
        #expect(throws: failure) { try explained.map(of: image, class: 0) }
        #expect(throws: failure) { try explained.logits(image) }
        #expect(throws: failure) { try explained.gradients.gradient(of: image, class: 0) }
        #expect(throws: failure) { try explained.gradients.attribution(.saliency, of: image, class: 0) }
        let extractor = try example.network.features(at: "relu1_1", device: device)
        #expect(throws: failure) { try extractor.features(of: image) }
    }

    private func pow2(_ value: Double) -> Double { value * value }
}
