import Testing
import VGGCPU
import VGGEngine
import VGGImages
import VGGModel
import VGGPerception
import VGGTestSupport

/// Distances of pictures, against the lpips package and PyTorch (Scripts/goldens/perception.py).
@Suite struct DistanceTests {
    private let colours = PictureColours(.imageNet)

    private func images(_ golden: PerceptionGolden) throws -> ImageBatch {
        let inputs = try (0..<4).flatMap { index -> [Float] in
            let picture = try golden.picture("pictures", at: index)
            return try colours.input(of: colours.numbers(of: picture), height: 40, width: 56).values
        }
        return try ImageBatch(inputs, count: 4, shape: .map(channels: 3, height: 40, width: 56))
    }

    @Test(arguments: ["lpips", "features"], processors)
    func areThePackages(_ name: String, on device: Device) throws {
        let golden = try PerceptionGolden()
        let weights = try LPIPSWeights(contentsOf: PerceptionGolden.linear)
        let metric =
            name == "lpips" ? PerceptualMetric.lpips(weights) : .features(LPIPSWeights.layers.reversed())
        // The last batch is not full.
        let distance = try PerceptualDistance(
            metric, golden.network, weights: golden.weights, height: 40, width: 56, batchSize: 3,
            device: device)
        let pictures = try distance.embeddings(of: try images(golden))
        #expect(pictures.count == 4 && pictures.allSatisfy { $0.count == distance.count })
        let expected = try golden.tensor("distances/\(name)").values
        for (place, other) in pictures.dropFirst().enumerated() {
            let found = pictures[0].distance(to: other)
            #expect(abs(found - Double(expected[place])) < 1e-5 * Double(expected[place]), "\(found)")
            #expect(other.distance(to: pictures[0]) == found)
            // Layer by layer, whatever order they were asked for in.
            let layers = distance.layers(of: pictures[0], other)
            #expect(layers.map(\.name) == LPIPSWeights.layers)
            #expect(abs(layers.reduce(0) { $0 + $1.distance } - found) < 1e-5 * found)
            #expect(layers.allSatisfy { $0.distance > 0 })
        }
        #expect(pictures[2].distance(to: pictures[2]) == 0)
    }

    /// To some hundredths, as numbers of eight bits allow.
    @Test(arguments: ["lpips", "features"], processors)
    func mixedPrecisionIsNear(_ name: String, on device: Device) throws {
        let golden = try PerceptionGolden()
        let images = try images(golden)
        let linear = try LPIPSWeights(contentsOf: PerceptionGolden.linear)
        // The output of relu3_1 is in 16 bits, those before a pool are not.
        let metric = name == "lpips" ? PerceptualMetric.lpips(linear) : .features(["relu1_2", "relu3_1"])
        let found = try [Precision.fp32, .bf16].map { precision in
            let distance = try PerceptualDistance(
                metric, golden.network, weights: golden.weights, height: 40, width: 56,
                precision: precision, device: device)
            let pictures = try distance.embeddings(of: images)
            let pairs = try distance.distances(ofPairs: images)
            for (pair, own) in pairs.enumerated() {
                #expect(abs(pictures[2 * pair].distance(to: pictures[2 * pair + 1]) - own) < 1e-5 * own)
            }
            return pairs
        }
        for (single, mixed) in zip(found[0], found[1]) {
            #expect(mixed != single && abs(mixed - single) < 0.03 * single, "\(mixed), \(single)")
        }
    }

    @Test func lastReLUsAreThoseOfLPIPS() throws {
        #expect(try PerceptualMetric.lastReLUs(of: PerceptionGolden().network) == LPIPSWeights.layers)
        let norms = try PerceptionGolden("vgg11_bn").network
        #expect(
            PerceptualMetric.lastReLUs(of: norms) == ["relu1_1", "relu2_1", "relu3_2", "relu4_2", "relu5_2"])
        // A classifier's ReLUs make no maps.
        let whole = try vgg([(1, 4), (2, 8)], size: 16)
        #expect(PerceptualMetric.lastReLUs(of: whole) == ["relu1_1", "relu2_2"])
    }

    @Test func doNotDependOnTheThreads() throws {
        let golden = try PerceptionGolden()
        let images = try images(golden)
        let found = try [1, 3].map { threads in
            try PerceptualDistance(
                .features(["relu3_1"]), golden.network, weights: golden.weights, height: 40, width: 56,
                device: .cpu(threads: threads)
            ).embeddings(of: images).map { $0.distance(to: $0) + Double($0.count) }
        }
        #expect(found[0] == found[1])
    }

    @Test func sayWhatWouldWork() throws {
        let golden = try PerceptionGolden()
        func problem(_ metric: PerceptualMetric, _ size: Int) -> String? {
            do {
                _ = try PerceptualDistance(
                    metric, golden.network, weights: golden.weights, height: size, width: 99, device: .cpu)
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(
            problem(.features(["relu5_1"]), 15)
                == "a picture of 99×15 pixels is too small for relu5_1: both sides must have at least 16; use a "
                + "larger `size`, or layers before it")
        #expect(problem(.features(["relu5_1"]), 16) == nil)
        #expect(problem(.features(["relu6_1"]), 64)?.contains("there is no layer 'relu6_1'") == true)
        var tensors = Dictionary(
            uniqueKeysWithValues: (0..<5).map {
                (
                    "lin\($0).model.1.weight",
                    Tensor(shape: [1, 9, 1, 1], values: Array(repeating: 1, count: 9))
                )
            })
        #expect(
            try problem(.lpips(LPIPSWeights(tensors)), 64)?.contains("relu1_2 has 4 channels, but") == true)
        tensors["lin3.model.1.weight"]?.values[2] = -1
        #expect(throws: PerceptionError.self) { try LPIPSWeights(tensors) }
        #expect(throws: PerceptionError.self) { try LPIPSWeights([:]) }
    }

    @Test func missingWeightsAreNamed() throws {
        let golden = try PerceptionGolden()
        var weights = golden.weights
        weights["features.28.bias"] = nil
        #expect(throws: WeightsError.missing("features.28.bias")) {
            try PictureNetwork(
                golden.network, weights: weights, layers: ["relu5_3"], height: 64, width: 64)
        }
        // What lies behind the layer is not missed.
        let network = try PictureNetwork(
            golden.network, weights: weights, layers: ["relu5_1", "relu1_1"], height: 20, width: 70)
        #expect(network.network.output == .map(channels: 32, height: 1, width: 4))
    }
}
