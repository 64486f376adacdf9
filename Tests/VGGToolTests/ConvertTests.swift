import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// A small network's weights under d2l's names, as a file of another program would have them.
    private func writeWeights(_ name: String) throws -> Network {
        var specification = ModelSpecification([(1, 2), (1, 3)], batchNorm: false)
        specification.hiddenFeatures = [8, 8]
        let network = try specification.network(size: 8)
        var file = Safetensors()
        for (index, entry) in try #require(WeightNaming.d2l.entries(of: network)).enumerated() {
            let count = entry.shape.reduce(1, *)
            let values = (0..<count).map { Float(index) + Float($0) / Float(count) }
            file.tensors[entry.name] = Tensor(shape: entry.shape, values: values)
        }
        try file.write(to: folder.url(name).path)
        return network
    }

    @Test func convertsNamesAndBack() throws {
        let network = try writeWeights("d2l.safetensors")
        let result = try run("convert d2l.safetensors torchvision.safetensors")
        #expect(result.status == 0 && result.output.isEmpty)
        #expect(
            result.errors == """
                note: d2l.safetensors: read as 1x2,1x3 for images of 8×8 pixels
                wrote torchvision.safetensors: 10 tensors, 343 parameters, 10 classes

                """)
        let converted = try Safetensors(contentsOf: folder.url("torchvision.safetensors").path)
        #expect(Set(converted.tensors.names) == Set(network.parameters.map(\.name)))
        #expect(converted.metadata["format"] == "pt")

        #expect(try run("convert torchvision.safetensors timm.safetensors --naming timm").status == 0)
        #expect(try run("convert timm.safetensors again.safetensors --naming d2l").status == 0)
        let original = try Safetensors(contentsOf: folder.url("d2l.safetensors").path)
        let again = try Safetensors(contentsOf: folder.url("again.safetensors").path)
        #expect(again.tensors == original.tensors)
        #expect(again.metadata == converted.metadata)
    }

    /// Half the size, and the nearest numbers; what the file says of its training is not where things were here.
    @Test func convertsToSixteenBits() throws {
        let result = try run(
            "train --recipe quick --epochs 1 --max-steps 2 --train-limit 256 --test-limit 32 --seed 7 --run-dir run"
        )
        #expect(result.status == 0, "\(result.errors)")
        for (name, unit) in [("fp16", Float(0x1p-11)), ("bf16", 0x1p-8)] {
            #expect(try run("convert run \(name).safetensors --dtype \(name)").status == 0)
            let (whole, half) = (
                try TrainedModel(runOrWeights: folder.url("run").path),
                try TrainedModel(runOrWeights: folder.url("\(name).safetensors").path)
            )
            #expect(half.stored == whole.stored && half.epoch == whole.epoch)
            #expect(half.training?.seed == 7 && half.training?.epochs == 1)
            for (name, tensor) in half.weights {
                let expected = try #require(whole.weights[name])
                let isExact = tensor.shape.count == 1
                for (number, exact) in zip(tensor.values, expected.values) {
                    guard abs(number - exact) > (isExact ? 0 : unit * abs(exact) + 0x1p-25) else { continue }
                    Issue.record("\(number) is not next to \(exact)")
                    break
                }
            }
            let size = try folder.bytes("\(name).safetensors").count
            #expect(Double(size) < 0.55 * Double(try folder.bytes("run/model.safetensors").count))
        }
    }

    @Test func convertsToONNX() throws {
        _ = try writeWeights("d2l.safetensors")
        let result = try run("convert d2l.safetensors model.onnx")
        #expect(result.status == 0, "\(result.errors)")
        // What is in it is judged by the bytes that onnx.helper writes, in VGGFormatsTests.
        let model = try folder.bytes("model.onnx")
        for name in ["features.3.weight", "logits", "vgg.model"] {
            #expect(model.range(of: Data(name.utf8)) != nil)
        }
    }

    @Test func convertsNoOtherNetwork() throws {
        _ = try writeWeights("d2l.safetensors")
        let other = try run("convert d2l.safetensors out.onnx --classes 9")
        #expect(other.status == 1 && other.errors.contains("classifier.6.weight"))
        try Safetensors(tensors: ["x": Tensor(zeros: [1])]).write(to: folder.url("x.safetensors").path)
        let none = try run("convert x.safetensors out.onnx")
        #expect(none.status == 1 && none.errors.contains("there are no convolutions"))
        #expect(none.errors.split(separator: "\n").count == 1, "\(none.errors)")
        #expect(try !folder.names().contains("out.onnx"))
    }
}
