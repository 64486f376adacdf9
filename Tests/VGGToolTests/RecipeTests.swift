import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// What is listed is what the name stands for, and options beside the name win, on either side of it.
    @Test func recipesAreTheirOptions() throws {
        let listed = try run("recipes --format json").objects()
        let names = listed.compactMap { $0["name"] as? String }
        // Those that documents and people rely on; another needs nothing here.
        #expect(Set(names).isSuperset(of: ["chapter", "quick", "fashion-mnist", "cifar10", "fine-tune"]))
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

    /// A recipe's options that make no sense beside what was typed are left out.
    @Test(arguments: [
        ("fashion-mnist", "--sched onecycle"), ("fashion-mnist", "--sched onecycle --warmup-epochs 0"),
        ("fashion-mnist", "--scale 0.5,1"), ("fashion-mnist", "--ratio=0.9,1.1 --crop-padding 0"),
        ("fashion-mnist", "--weight-decay 0"), ("fashion-mnist", "--momentum 0"),
        ("fashion-mnist", "--dampening 0.1"), ("fashion-mnist", "--opt adamw"),
        ("fashion-mnist", "--opt=adam --weight-decay 0"), ("fashion-mnist", "--no-model-ema"),
        ("fashion-mnist", "--epochs 1"), ("fashion-mnist", "--arch vgg11 --size 32"),
        ("fashion-mnist", "--arch alexnet --size 96"), ("fashion-mnist", "--class-weights balanced"),
        ("quick", "--opt adam"), ("fine-tune", "--crop-padding 2"), ("fine-tune", "--opt adamw"),
        ("fine-tune", "--val-split 0 --keep last"), ("fashion-mnist", "--mean 73 --std 90"),
        ("fashion-mnist", "--preprocessing plain"), ("fashion-mnist", "--adaptive-pool --size 32"),
        ("fashion-mnist", "--cutmix 0"), ("fashion-mnist", "--mixup 0 --cutmix=0"),
        ("fashion-mnist", "--cutmix 0 --mixup 0.2"), ("fashion-mnist", "--cutmix 0 --class-weights balanced"),
        ("fashion-mnist", "--sched none"),
    ]) func whatIsTypedBesideARecipeWins(_ name: String, _ options: String) throws {
        var command =
            "train --recipe \(name) \(options) --train-limit 8 --test-limit 8 --max-steps 1 --run-dir tried"
        if name == "fine-tune" {
            #expect(try run(greyTraining).status == 0)
            command += " --init run"
        }
        let result = try run(command)
        #expect(result.status == 0, "\(result.errors)")
        let configuration = try RunFolder(folder.url("tried").path).readConfiguration()
        switch options {
        case "--opt adamw": #expect(configuration.optimizer.headLearningRate == nil)
        case "--preprocessing plain": #expect(configuration.preprocessing?.std == [1])
        case "--adaptive-pool --size 32": #expect(configuration.model.pool == 7)
        case "--no-model-ema": #expect(configuration.optimizer.average == nil)
        case "--scale 0.5,1": #expect(configuration.augmentation?.cropPadding == nil)
        case "--cutmix 0", "--mixup 0 --cutmix=0": #expect(configuration.mixing == nil)
        case "--cutmix 0 --mixup 0.2":
            #expect(configuration.mixing?.cutmix == nil && configuration.mixing?.mixupProb == 0.5)
        case "--sched none":
            #expect(configuration.schedule?.sched == nil && configuration.schedule?.warmupEpochs == 3)
        case "--val-split 0 --keep last": #expect(configuration.validationSplit == nil)
        default: break
        }
    }

    /// The sheet shows what a recipe does to pictures, and what options beside it change.
    @Test func theSheetTakesARecipe() throws {
        func sheet(_ options: String) throws -> Data {
            let result = try run("data --augment \(options) --output sheet.png")
            #expect(result.status == 0, "\(result.errors)")
            return try Data(contentsOf: folder.url("sheet.png"))
        }
        let recipe = try sheet("--recipe fashion-mnist")
        let options = "--size 28 --mean 0.2860 --std 0.3530 --crop-padding 2 --hflip 0.5 --reprob 0.5"
        #expect(try recipe == sheet("\(options) --cutmix 1 --mixup-prob 0.5"))
        #expect(try recipe != sheet(options))
        // Statistics are those of a data set, whichever side its name stands on.
        try writeStripes(4)
        let plain = options.replacing("--mean 0.2860 --std 0.3530", with: "")
        let other = try sheet("\(plain) --cutmix 1 --mixup-prob 0.5 folder:photos")
        #expect(try other == sheet("--recipe=fashion-mnist folder:photos"))
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
        #expect(configuration.mixing?.cutmix == 1 && configuration.mixing?.mixupProb == 0.5)
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

    /// With this rate no weight changes, so that the first epoch stays the best.
    @Test func aRunOutOfPatienceSaysHowToGoOn() throws {
        let still = greyTraining.replacing("--epochs 1", with: "--epochs 6")
        let result = try run("\(still) --lr 1e-40 --val-split 0.25 --patience 2")
        #expect(result.status == 0, "\(result.errors)")
        let advice = "to go on: vgg "
        let line = try #require(result.lines.first { $0.hasPrefix("stopped: ") })
        #expect(line.hasPrefix("stopped: 2 epochs without a better one; \(advice)train --resume run"))
        #expect(result.output.contains("best: epoch 1, "))
        let command = try #require(line.components(separatedBy: advice).last)
        let more = try run(command)
        #expect(more.status == 0, "\(more.errors)")
        #expect(more.lines.contains { $0.hasPrefix("stopped: 4 epochs without a better one; ") })
    }

    /// The learning-rate test tries rates that grow by equal factors, draws them, and keeps nothing else.
    @Test func findsALearningRate() throws {
        let network = greyTraining.replacing(" --run-dir run", with: "")
        let test = "\(network) --lr-find --lr-find-range 1e-3,100 --lr-find-steps 40"
        let result = try run("\(test) --lr-find-chart rates.svg --format json")
        #expect(result.status == 0, "\(result.errors)")
        let report = try #require(try result.objects().first)
        let rates = try #require(report["points"] as? [[String: Any]]).compactMap {
            $0["learning_rate"] as? Double
        }
        #expect(rates.first == 1e-3 && rates.count > 10 && rates.count <= 40)
        for (rate, next) in zip(rates, rates.dropFirst()) {
            #expect(abs(next / rate - pow(1e5, 1 / 40)) < 1e-9)
        }
        let suggestions = try #require(report["suggestions"] as? [String: Double])
        #expect(Set(suggestions.keys).isSubset(of: ["valley", "steepest"]) && !suggestions.isEmpty)
        #expect(suggestions.values.allSatisfy { $0 > 1e-3 && $0 < 100 })
        #expect(try String(contentsOf: folder.url("rates.svg"), encoding: .utf8).contains("</svg>"))
        #expect(try folder.names().allSatisfy { !$0.hasPrefix("run") })

        let text = try run(test)
        #expect(text.status == 0 && text.output.contains("suggested: --lr "), "\(text.output)")

        // A head of its own rate was tried in proportion.
        let head = try run("\(test) --lr 0.01 --lr-head 0.1")
        let words = try #require(head.lines.last { $0.hasPrefix("suggested: ") }).split(separator: " ")
        #expect(words[1] == "--lr" && words[3] == "--lr-head")
        let suggested = try [2, 4].map { try #require(Double(words[$0])) }
        #expect(abs(suggested[1] / suggested[0] - 10) < 0.5)
    }
}
