import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGFiles
import VGGFormats
import VGGImages
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

@Suite struct PredictorTests {
    private func golden(_ name: String) -> String {
        Bundle.module.bundleURL.appending(path: "Goldens/\(name)").path
    }

    /// Logits are PyTorch's (Scripts/goldens/weight_files.py).
    @Test func eightTasksGetPyTorchsAnswers() async throws {
        let expected = try Safetensors(contentsOf: golden("tiny-logits.safetensors")).tensors
        let logits = Array(try #require(expected["logits"]).values)
        let predictor = try Predictor(
            runOrWeights: golden("tiny.pth"), device: .cpu(threads: 1), precision: .fp32)
        let input = predictor.network.input
        let images = try ImageBatch(
            channelsFirst(
                try #require(expected["images"]).values, channels: 3, pixels: input.count / 3),
            count: 2, shape: input)
        let answers = try await withThrowingTaskGroup(of: [Prediction].self) { group in
            for _ in 0..<8 {
                group.addTask { try await predictor.predictions(for: images, top: 2) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 8 && Set(answers).count == 1)
        let answer = try #require(answers.first)
        expectClose(answer.flatMap(\.logits), logits, tolerance: 1e-5, absolute: 0, "logits")
        let classes = predictor.network.output.count
        for (image, prediction) in answer.enumerated() {
            let own = logits[image * classes..<(image + 1) * classes].map(Double.init)
            let sum = own.map(exp).reduce(0, +)
            #expect(prediction.top.count == 2)
            #expect(prediction.top[0].probability >= prediction.top[1].probability)
            for guess in prediction.top {
                #expect(abs(guess.probability - exp(own[guess.label]) / sum) < 1e-5)
            }
        }
    }

    @Test func preparesPhotosAsTheRunDid() async throws {
        let folder = try TemporaryFolder()
        _ = try trainer(smallConfiguration(), folder: folder.run("run")).run()
        let predictor = try Predictor(runOrWeights: folder.run("run").path, device: .cpu(threads: 2))
        let photo = RGBImage(width: 8, height: 8, pixels: (0..<192).map { UInt8($0) })
        let prediction = try await predictor.prediction(for: photo, top: 3)
        let input = predictor.preprocessing.input(from: photo)
        #expect(try await predictor.predictions(for: input, top: 3) == [prediction])
        #expect(prediction.logits.count == 4)
    }

    @Test func aWrongInputIsAnErrorAndNoMore() async throws {
        let predictor = try Predictor(runOrWeights: golden("tiny.pth"), device: .cpu(threads: 1))
        let three = try ImageBatch([1, 2, 3], shape: .vector(3))
        await #expect(throws: InputError.self) { try await predictor.predictions(for: three) }
        var image = [Float](repeating: 0.5, count: predictor.network.input.count)
        let good = try ImageBatch(image, shape: predictor.network.input)
        #expect(try await predictor.predictions(for: good).count == 1)
        image[0] = .nan
        let nonsense = try ImageBatch(image, shape: predictor.network.input)
        await #expect(throws: FileError.self) { try await predictor.logits(for: nonsense) }
    }
}
