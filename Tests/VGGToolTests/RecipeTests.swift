import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// What is listed is what the name stands for, and options beside the name win, on either side of it.
    @Test func recipesAreTheirOptions() throws {
        let listed = try run("recipes --format json").objects()
        let names = listed.compactMap { $0["name"] as? String }
        #expect(names == ["chapter", "quick", "fashion-mnist", "cifar10", "fine-tune"])
        #expect(try names.allSatisfy(run("recipes").output.contains))
        for (index, name) in ["quick", "fashion-mnist"].enumerated() {
            let options = try #require(listed.first { $0["name"] as? String == name }?["options"] as? String)
            let more = "--train-limit 8 --test-limit 8 --batch-size 8 --max-steps 1 --seed 7 --precision fp32"
            let runs = try ["\(more) --recipe \(name)", "--preset=\(name) \(more)", "\(options) \(more)"]
                .enumerated()
                .map { place, words in
                    let result = try run("train \(words) --run-dir \(index)-\(place)")
                    #expect(result.status == 0, "\(words): \(result.errors)")
                    return try RunFolder(folder.url("\(index)-\(place)").path).readConfiguration()
                }
            #expect(runs[0] == runs[2] && runs[1] == runs[2] && runs[0].seed == 7 && runs[0].batchSize == 8)
        }
    }

    /// The record's recipe, as docs and people rely on it.
    @Test func theRecordsRecipe() throws {
        let result = try run(
            "train --recipe fashion-mnist --train-limit 8 --test-limit 8 --max-steps 1 --run-dir run")
        #expect(result.status == 0, "\(result.errors)")
        let configuration = try RunFolder(folder.url("run").path).readConfiguration()
        #expect(configuration.model.convArch == "2x64,2x128,2x256,2x256" && configuration.model.hasBatchNorm)
        #expect(configuration.model.pool == 1 && configuration.model.hiddenFeatures.isEmpty)
        #expect(configuration.model.widthDivisor == 1 && configuration.size == 28)
        #expect(configuration.preprocessing?.mean == [0.2860] && configuration.preprocessing?.std == [0.3530])
        #expect(
            configuration.epochs == 75 && configuration.batchSize == 128 && configuration.smoothing == 0.1)
        let optimizer = configuration.optimizer
        #expect(optimizer.learningRate == 0.1 && optimizer.momentum == 0.9 && optimizer.nesterov)
        #expect(optimizer.weightDecay == 5e-4 && optimizer.vectorWeightDecay == 0)
        #expect(configuration.schedule?.sched == .cosine && configuration.schedule?.warmupEpochs == 3)
        let augmentation = try #require(configuration.augmentation)
        #expect(augmentation.cropPadding == 2 && augmentation.hflip == 0.5 && augmentation.reprob == 0.5)
    }

    /// Every recipe is a command line that parses; what it lacks it says.
    @Test func fineTuningTakesTheRecipe() throws {
        #expect(try run("\(greyTraining) --lr 0.02").status == 0)
        let tuned = try run(
            "train --recipe fine-tune --init run --train-limit 64 --test-limit 32 --epochs 2 --warmup-epochs 0 --run-dir tuned"
        )
        #expect(tuned.status == 0, "\(tuned.errors)")
        let configuration = try RunFolder(folder.url("tuned").path).readConfiguration()
        #expect(configuration.keep == .best && configuration.optimizer.headLearningRate == 0.01)
        #expect(configuration.epochs == 2 && configuration.validationSplit == 0.2)
    }
}
