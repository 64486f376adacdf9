import Foundation
import Testing
import VGGCPU
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// What training scripts leave behind, and what PyTorch computes with it (Scripts/goldens/checkpoints.py).
@Suite struct CheckpointFileTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let size: Int
        let channels: Int
        let key: String?
        let took: String?
        let others: [String]?
        let refused: String?
        let logits: [Double]?

        var testDescription: String { file + (key.map { ", \($0)" } ?? "") }
        var path: String { Bundle.module.bundleURL.appending(path: "Goldens/checkpoints/\(file)").path }
    }

    static let cases: [Case] = {
        let file = Bundle.module.bundleURL.appending(path: "Goldens/checkpoints/cases.json")
        guard let data = try? Data(contentsOf: file),
            let cases = try? JSONDecoder().decode([String: Case].self, from: data)
        else { return [] }
        return cases.sorted { $0.key < $1.key }.map(\.value)
    }()

    @Test func thereAreCases() { #expect(Self.cases.count > 50) }

    @Test(arguments: cases.filter { $0.logits != nil }) func computesPyTorchsLogits(_ example: Case) throws {
        let logits = try #require(example.logits)
        let model = try TrainedModel(runOrWeights: example.path, weightsKey: example.key)
        let stored = try #require(model.stored, "\(model.problem.map { "\($0)" } ?? "")")
        let network = try stored.model.network(size: example.size)
        let executor = try model.executor(
            for: network, batchSize: 2, precision: .fp32, device: .cpu(threads: 1))
        let numbers = (0..<2 * network.input.count).map { Float($0 * 37 % 101) / 101 - 0.5 }
        let images = try ImageBatch(
            channelsFirst(numbers, channels: example.channels, pixels: example.size * example.size),
            count: 2, shape: network.input)
        let computed = executor.logits(images)
        expectClose(computed, logits, tolerance: 1e-5, "logits of \(example.testDescription)")
        // Nothing in a file is ever run.
        #expect(!FileManager.default.fileExists(atPath: "executed"))
    }

    @Test(arguments: cases.filter { $0.took != nil }) func takesTheRightWeights(_ example: Case) throws {
        let file = try WeightFile(contentsOf: example.path, key: example.key)
        #expect(file.key == example.took && file.otherKeys == example.others)
        let notes = try TrainedModel(runOrWeights: example.path, weightsKey: example.key).notes
        #expect(notes.contains { $0.contains("`weightsKey`") } == (example.others?.isEmpty == false))
    }

    @Test(arguments: cases.filter { $0.refused != nil }) func saysWhatIsWrong(_ example: Case) throws {
        let refused = try #require(example.refused)
        let problem: String
        do {
            let model = try TrainedModel(runOrWeights: example.path, weightsKey: example.key)
            problem = "\(try #require(model.problem))"
        } catch { problem = "\(error)" }
        #expect(problem.contains(refused), "\(problem)")
    }
}
