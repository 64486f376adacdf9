import Testing
import VGGEngine
import VGGInference
import VGGModel
import VGGTestSupport

/// Explanations of a network's answers, against captum and PyTorch's autograd (Scripts/goldens/attributions.py).
@Suite struct AttributionTests {
    private let golden = Result { try VGGEngineTests.golden("attributions").tensors.dictionary }

    private func gradients(
        _ name: String, batchSize: Int, on device: Device
    ) throws -> (LogitGradients, ImageBatch) {
        let example = try FeatureCase(name)
        let gradients = try LogitGradients(
            example.network, weights: example.weights, batchSize: batchSize, device: device)
        return (gradients, example.images[0..<1])
    }

    @Test(arguments: ["plain", "batch-norm"], TestedDevice.allAndReference)
    func areCaptums(_ name: String, on tested: TestedDevice) throws {
        // Six samples and 25 squares: neither fills the last batch.
        let (gradients, image) = try gradients(name, batchSize: 4, on: tested.device)
        var settings = Attribution.Settings()
        (settings.samples, settings.window, settings.stride) = (6, 4, 3)
        for way in Attribution.allCases {
            for label in [0, 4] {
                let expected = try #require(golden.get()["\(name)/\(way.rawValue)/\(label)"])
                let found = try gradients.attribution(way, of: image, class: label, settings: settings)
                #expect(found.shape == expected.shape)
                // Occlusion's numbers are differences of logits some hundred times as large.
                expectClose(
                    found.values, expected.values, tolerance: 1e-4, scale: way == .occlusion ? 0.1 : 0,
                    "\(way.rawValue) of class \(label)")
            }
        }
    }

    @Test(arguments: ["plain", "batch-norm"], TestedDevice.allAndReference)
    func classModelIsPyTorchs(_ name: String, on tested: TestedDevice) throws {
        let (gradients, image) = try gradients(name, batchSize: 1, on: tested.device)
        for label in [0, 4] {
            let expected = try #require(golden.get()["\(name)/class-model/\(label)"])
            var logits: [Float] = []
            let found = try gradients.classModel(of: label, from: image, steps: 10) { logits.append($1) }
            expectClose(found.values, expected.values, tolerance: 1e-4, "class \(label)")
            #expect(logits.count == 10 && logits[9] > logits[0])
        }
    }

    @Test func integratedGradientsSumUpToTheDifferenceOfLogits() throws {
        let (gradients, image) = try gradients("plain", batchSize: 8, on: .reference)
        var settings = Attribution.Settings()
        settings.samples = 200
        let zeros = try ImageBatch(image.values.map { _ in 0 }, shape: image.shape)
        let difference = try gradients.logits(image)[3] - gradients.logits(zeros)[3]
        let sum = try gradients.attribution(.integratedGradients, of: image, class: 3, settings: settings)
            .values.reduce(0, +)
        #expect(abs(sum - difference) < 0.01 * abs(difference))
    }

    @Test func picturesShowTheLargestOrTheSumOfTheChannels() {
        let numbers = Tensor(shape: [2, 1, 3], values: [1, -4, 2, -3, 1, 2])
        #expect(Attribution.saliency.map(of: numbers) == Tensor(shape: [1, 3], values: [3, 4, 2]))
        #expect(Attribution.occlusion.map(of: numbers) == Tensor(shape: [1, 3], values: [0, 0, 4]))
    }

    @Test func refusesAnotherShape() throws {
        let (gradients, _) = try gradients("plain", batchSize: 1, on: .reference)
        let image = try ImageBatch([1, 2, 3], shape: .map(channels: 3, height: 1, width: 1))
        #expect(throws: InputError.self) { try gradients.gradient(of: image, class: 0) }
        #expect(throws: InputError.self) { try gradients.attribution(.occlusion, of: image, class: 0) }
    }
}
