import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGFormats
import VGGImages
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// The mean of what a network says of several views of a picture, as torch computes it (Scripts/goldens/views.py).
@Suite struct ViewTests {
    static let cases: [(name: String, views: ImageViews)] = [
        ("one", ImageViews()), ("mirror", ImageViews(mirrors: true)), ("shift:1", ImageViews(shift: 1)),
        ("mirror,shift:2", ImageViews(mirrors: true, shift: 2)),
    ]
    let golden: Safetensors

    init() throws {
        golden = try Safetensors(
            contentsOf: Bundle.module.bundleURL.appending(path: "Goldens/views.safetensors").path)
    }

    private func tensor(_ name: String) throws -> Tensor { try #require(golden.tensors[name], "\(name)") }

    /// - Parameter outputs: the first so many of torch's network.
    private func executor(outputs: Int) throws -> Executor {
        let network = try Network(
            input: .map(channels: 2, height: 5, width: 6),
            blocks: [
                .sequential([.convolution(Convolution(2, 3, kernel: 3, padding: 1)), .relu]),
                .sequential([.flatten, .linear(Linear(3 * 5 * 6, outputs))]),
            ])
        var weights: [String: Tensor] = [:]
        for (name, part) in [
            ("features.0", network.parameters[0].name), ("classifier.0", network.head?.name ?? ""),
        ] {
            let layer = part.replacing(".weight", with: "")
            for kind in ["weight", "bias"] {
                let whole = try tensor("\(name).\(kind)")
                let rows = name == "classifier.0" ? outputs : whole.shape[0]
                let size = whole.values.count / whole.shape[0]
                weights["\(layer).\(kind)"] = Tensor(
                    shape: [rows] + whole.shape.dropFirst(), values: Array(whole.values.prefix(rows * size)))
            }
        }
        let executor = try Executor(
            plan: Plan(network, batchSize: 7, mode: .inference), device: .cpu(threads: 2))
        try executor.load(weights)
        return executor
    }

    private func images() throws -> ImageBatch {
        try ImageBatch(
            Array(tensor("images").values), count: 7, shape: .map(channels: 2, height: 5, width: 6),
            labels: tensor("labels").values.map { Int32($0) })
    }

    @Test(arguments: cases.indices) func theMeanIsTorchs(_ index: Int) throws {
        let (name, views) = Self.cases[index]
        let logits = try views.logits(of: images(), by: executor(outputs: 4))
        #expect(!logits.contains { !$0.isFinite })
        var probabilities: [Double] = []
        for start in stride(from: 0, to: logits.count, by: 4) {
            let prediction = Prediction(logits: Array(logits[start..<start + 4]), names: [], top: 4)
            probabilities += prediction.top.sorted { $0.label < $1.label }.map(\.probability)
        }
        expectClose(probabilities, try tensor("\(name)/probabilities").values, "\(name)")

        let single = try views.logits(of: images(), by: executor(outputs: 1))
        #expect(single.count == 7)
        let second = single.map { 1 / (1 + exp(-Double($0))) }
        expectClose(second, try tensor("single/\(name)/probabilities").values, "\(name) of one output")
        // The views are not all alike, or nothing is shown.
        if index > 0 {
            #expect(try tensor("\(name)/probabilities").values != tensor("one/probabilities").values)
        }
    }

    /// Loss and accuracy of a test are those of the means.
    @Test(arguments: cases.indices) func aTestIsOfTheMean(_ index: Int) throws {
        let (name, views) = Self.cases[index]
        let (executor, whole) = (try executor(outputs: 4), try images())
        let expected = try tensor("\(name)/probabilities").values
        let labels = try tensor("labels").values.map { Int($0) }
        var correct = 0
        for (image, label) in labels.enumerated() {
            let own = Array(expected)[image * 4..<image * 4 + 4]
            if own.indices.max(by: { own[$0] < own[$1] }) == own.startIndex + label { correct += 1 }
        }
        let metrics = executor.test(whole, views).metrics
        #expect(metrics.count == 7 && metrics.correct == correct, "\(name)")
        expectClose([metrics.meanLoss], try tensor("\(name)/loss").values, "\(name)")
        if index == 0 { #expect(metrics == executor.evaluate(whole)) }
    }
}
