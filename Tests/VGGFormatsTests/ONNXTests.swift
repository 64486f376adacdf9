import Foundation
import Testing
import VGGFormats
import VGGModel

/// The files are those that onnx.helper writes and onnx.checker accepts (Scripts/goldens/weight_files.py).
@Suite struct ONNXTests {
    private func expectSameBytes(_ name: String, _ network: Network, weights: String) throws {
        let model = try ONNXModel(
            network, tensors: WeightFile(contentsOf: golden(weights)).tensors.dictionary,
            metadata: ["note": "é"],
            version: "test")
        try withFile(Data()) { path in
            try model.write(to: path)
            let written = try Data(contentsOf: URL(filePath: path))
            let expected = try Data(contentsOf: URL(filePath: golden(name)))
            let difference = zip(written, expected).enumerated().first { $0.element.0 != $0.element.1 }
            #expect(written == expected, "first at byte \(difference?.offset ?? -1)")
        }
    }

    @Test func writesBatchNorm() throws {
        try expectSameBytes(
            "tiny-bn.onnx",
            vgg(
                [(1, 4), (2, 8)], size: 12, inChannels: 3, classes: 5, batchNorm: true,
                hiddenFeatures: [16, 16]),
            weights: "names-torchvision.safetensors")
    }

    /// An adaptive pool that is nothing, an average pool, and two products with matrices.
    @Test(arguments: [28, 56, 20]) func writesAdaptivePools(_ size: Int) throws {
        try expectSameBytes(
            "pooled-\(size).onnx",
            vgg(
                [(1, 2), (1, 4)], size: size, inChannels: 3, classes: 3, pool: 7, hiddenFeatures: [8, 8]
            ),
            weights: "pooled.safetensors")
    }

    @Test func needsEveryTensor() throws {
        let network = try vgg([(1, 2)], size: 2, hiddenFeatures: [2, 2])
        var tensors = Dictionary(
            uniqueKeysWithValues: network.parameters.map { ($0.name, Tensor(zeros: $0.shape)) })
        tensors["features.0.bias"] = Tensor(zeros: [3])
        #expect(throws: ONNXError.shape(tensor: "features.0.bias", expected: [2], found: [3])) {
            try ONNXModel(network, tensors: tensors, version: "")
        }
        tensors["features.0.bias"] = nil
        #expect(throws: ONNXError.missing(tensor: "features.0.bias")) {
            try ONNXModel(network, tensors: tensors, version: "")
        }
    }

    /// The largest message has 2 GiB less one byte. (Memory that is never touched is not taken.)
    @Test func refusesFilesBeyondTwoGigabytes() throws {
        let outputs = 1 << 15
        let network = try Network(
            input: .vector(1 << 14), blocks: [.single(.linear(Linear(1 << 14, outputs)))])
        let values = [Float](unsafeUninitializedCapacity: outputs << 14) { $1 = outputs << 14 }
        let error = try #require(throws: ONNXError.self) {
            try ONNXModel(
                network,
                tensors: [
                    "classifier.0.weight": Tensor(shape: [outputs, 1 << 14], values: values),
                    "classifier.0.bias": Tensor(zeros: [outputs]),
                ], version: "")
        }
        #expect(error.description.contains("2147483647"))
    }
}
