import Testing
import VGGEngine
import VGGFormats
import VGGModel
import VGGTestSupport

/// The loss of smoothed targets, as torch's CrossEntropyLoss has it (Scripts/goldens/smoothing.py).
@Suite struct SmoothingTests {
    @Test(arguments: TestedDevice.allAndReference, [Float(0), 0.1, 0.75])
    func isTorchs(on tested: TestedDevice, _ smoothing: Float) throws {
        let file = try golden("smoothing")
        func tensor(_ name: String) throws -> Tensor { try #require(file.tensors[name], "\(name)") }
        let input = try tensor("input")
        let (batch, features) = (input.shape[0], input.shape[1])
        let network = try Network(
            input: .map(channels: features, height: 1, width: 1),
            blocks: [.sequential([.flatten, .linear(Linear(features, try tensor("bias").shape[0]))])])
        let executor = try Executor(
            plan: Plan(network, batchSize: batch, mode: .training), device: tested.device)
        let name = try #require(network.head?.name)
        try executor.load(["\(name).weight": tensor("weight"), "\(name).bias": tensor("bias")])
        let images = try ImageBatch(
            Array(input.values), count: batch, shape: network.input,
            labels: tensor("labels").values.map { Int32($0) })

        let metrics = executor.backward(images, smoothing: smoothing)
        let loss = Float(metrics.lossSum / Double(batch))
        expectClose([loss], try tensor("\(smoothing)/loss").values, tolerance: 1e-6, "loss")
        for (parameter, gradient) in executor.gradientTensors {
            let part = parameter.split(separator: ".").last ?? ""
            expectClose(
                gradient.values, try tensor("\(smoothing)/\(part)").values, "gradient of \(parameter)")
        }
        // A test asks for the classes themselves.
        #expect(executor.evaluate(images).lossSum == executor.backward(images).lossSum)
    }
}
