import Foundation
import Testing
import VGGKit
import VGGTestSupport

/// A network small enough for a step to take milliseconds, on a few real images.
private let small = """
    train --conv-arch 1x8,1x16,1x16 --arch vgg11_bn --width-divisor 2 --size 16 --momentum 0.9 --batch-size 32 \
    --train-limit 320 --test-limit 100 --seed 3
    """

extension ToolTests {
    @Test func trainPrintsJSONOnlyAndEndsWithTheFigures() throws {
        let result = try run("\(small) --epochs 2 --run-dir run --format json")
        #expect(result.status == 0, "\(result.errors)")
        let objects = try result.objects()
        #expect(objects.first?["event"] as? String == "started")
        let last = try #require(objects.last)
        #expect(last["event"] as? String == "finished")
        for name in ["train_loss", "train_acc", "test_acc", "examples_per_sec", "wall_examples_per_sec"] {
            #expect(last[name] is Double, "\(name)")
        }
        #expect(objects.filter { $0["event"] as? String == "epoch" }.count == 2)

        // The file says itself which model it is of, so both ways agree.
        let predictions = try ["run", "run/model.safetensors"].map {
            try run("predict \($0) --data fashion-mnist --index 7 --top 3 --format json")
        }
        #expect(predictions[0].output == predictions[1].output && predictions[0].status == 0)
        let prediction = try #require(try predictions[0].objects().first)
        let top = try #require(prediction["top"] as? [[String: Any]])
        #expect(top.count == 3 && (prediction["logits"] as? [Double])?.count == 10)
        let probabilities = top.compactMap { $0["probability"] as? Double }
        #expect(probabilities == probabilities.sorted(by: >) && probabilities.allSatisfy { 0...1 ~= $0 })
        #expect(top[0]["class"] is String && top[0]["label"] is Int)
        #expect(try run("predict run --index 10000").status == 1)

        // Weights of another shape: the tensor and both shapes.
        let other = try run("eval run/model.safetensors --size 32")
        #expect(other.status == 1 && other.errors.contains("classifier.0.weight"))
    }

    /// Without being told, `eval` uses the precision that the run was trained in.
    @Test(arguments: ["fp32", "bf16"]) func evalSaysWhatTheRunSays(_ precision: String) throws {
        #expect(try run("\(small) --epochs 1 --precision \(precision) --run-dir run").status == 0)
        let run = RunFolder(folder.url("run").path)
        guard case .epoch(let recorded) = try run.readMetrics().last else {
            Issue.record("the last record is not an epoch's")
            return
        }
        struct Figures: Decodable, Equatable {
            let count: Int
            let accuracy: Double
            let loss: Double
        }
        func eval(_ arguments: String) throws -> Figures {
            let result = try self.run("eval \(arguments) --batch-size 32 --test-limit 100 --format json")
            // Other than `JSONSerialization`, it reads every bit.
            return try JSONText.decode(Figures.self, from: result.output)
        }
        for model in ["run", "run/model.safetensors"] {
            #expect(
                try eval(model)
                    == Figures(count: 100, accuracy: recorded.testAcc, loss: recorded.testLoss))
        }
        let other = precision == "fp32" ? "bf16" : "fp32"
        #expect(try eval("run --precision \(other)").loss != recorded.testLoss)
    }

    /// The chapter's slim network is for who asks for nothing else.
    @Test(arguments: [
        ("", 4), ("--arch vgg11", 1), ("--conv-arch 1x8,1x8", 1), ("--recipe quick", 4),
        ("--recipe chapter", 4),
        ("--preset quick --arch vgg11", 4), ("--arch vgg11 --width-divisor 2", 2),
    ])
    func onlyTheChaptersNetworkIsSlim(_ options: String, _ divisor: Int) throws {
        let result = try run(
            "train --size 32 --train-limit 2 --test-limit 2 --max-steps 1 --run-dir run \(options)")
        #expect(result.status == 0, "\(result.errors)")
        let configuration = try RunFolder(folder.url("run").path).readConfiguration()
        #expect(configuration.model.widthDivisor == divisor)
    }

    /// Every option of a recipe reaches the configuration.
    @Test func keepsItsRecipe() throws {
        let result = try run(
            """
            \(small) --epochs 1 --run-dir run --sched multistep --decay-milestones 2,4 --decay-rate 0.2 \
            --warmup-epochs 1 --warmup-lr 0.001 --scale 0.5,1 --ratio 0.8,1.25 --hflip 0.5 --vflip 0.1 \
            --color-jitter 0.1,0.2,0.3,0.4 --auto-augment ta_wide --reprob 0.25 --remode pixel --recount 3 \
            --mixup 0.2 --cutmix-minmax 0.25,0.75 --mixup-prob 0.9 --mixup-switch-prob 0.4 --mixup-mode elem \
            --mixup-off-epoch 60
            """)
        #expect(result.status == 0, "\(result.errors)")
        let configuration = try RunFolder(folder.url("run").path).readConfiguration()
        var schedule = ScheduleSettings()
        (schedule.sched, schedule.decayMilestones, schedule.decayRate) = (.multistep, [2, 4], 0.2)
        (schedule.warmupEpochs, schedule.warmupLr) = (1, 0.001)
        #expect(configuration.schedule == schedule)
        var augmentation = AugmentationSettings()
        (augmentation.scale, augmentation.ratio) = ([0.5, 1], [0.8, 1.25])
        (augmentation.hflip, augmentation.vflip) = (0.5, 0.1)
        (augmentation.colorJitter, augmentation.autoAugment) = ([0.1, 0.2, 0.3, 0.4], .trivialAugmentWide)
        (augmentation.reprob, augmentation.remode, augmentation.recount) = (0.25, .pixel, 3)
        #expect(configuration.augmentation == augmentation)
        var mixing = MixingSettings()
        (mixing.mixup, mixing.cutmixMinmax, mixing.mixupProb) = (0.2, [0.25, 0.75], 0.9)
        (mixing.mixupSwitchProb, mixing.mixupMode, mixing.mixupOffEpoch) = (0.4, .elem, 60)
        #expect(configuration.mixing == mixing)
        #expect(try run("train --resume run --crop-padding 2").errors.contains("--crop-padding"))

        let other = try run(
            """
            \(small) --max-steps 1 --run-dir other --sched step --decay-epochs 2.5 --crop-padding 2 \
            --alternating-flip --smoothing 0.1 --weight-decay 0.01 --no-norm-decay
            """)
        #expect(other.status == 0, "\(other.errors)")
        let changed = try RunFolder(folder.url("other").path).readConfiguration()
        #expect(changed.schedule?.sched == .step && changed.schedule?.decayEpochs == 2.5)
        #expect(changed.smoothing == 0.1 && changed.optimizer.vectorWeightDecay == 0)
        #expect(changed.augmentation?.cropPadding == 2 && changed.augmentation?.alternatingFlip == true)
    }

    /// The validation is of training images, and the test has no say.
    @Test func keepsTheBestAndSaysSo() throws {
        let result = try run(
            "\(small) --epochs 9 --lr 0.2 --val-split 0.1 --keep best --patience 2 --run-dir run")
        #expect(result.status == 0 && !result.errors.contains("tested on"), "\(result.errors)")
        let run = RunFolder(folder.url("run").path)
        let configuration = try run.readConfiguration()
        #expect(configuration.validationSplit == 0.1 && configuration.patience == 2)
        let epochs = try run.readMetrics().compactMap {
            if case .epoch(let figures) = $0 { figures } else { nil }
        }
        #expect(epochs.allSatisfy { $0.valLoss != nil && $0.valLoss != $0.testLoss })
        let kept = try #require(try TrainedModel(runOrWeights: run.path).epoch)
        #expect(kept.chosenBy == .valAcc && kept.accuracy == epochs.compactMap(\.valAcc).max())
        #expect(result.output.contains("kept: epoch \(kept.epoch), val acc "))
        #expect(result.output.contains("stopped: 2 epochs without a better one") == (epochs.count < 9))
        let more = try self.run("train --resume run --keep last")
        #expect(more.status == 1 && more.errors.contains("--keep is best there, not last"))
    }

    /// Another optimiser begins with its own defaults; the preset's are SGD's.
    @Test func theOptimizerIsAsAskedFor() throws {
        func optimizer(_ options: String, _ run: String) throws -> Optimizer {
            let result = try self.run("\(small) --max-steps 1 --run-dir \(run) \(options)")
            #expect(result.status == 0, "\(result.errors)")
            return try RunFolder(folder.url(run).path).readConfiguration().optimizer
        }
        #expect(
            try optimizer("--preset quick --opt adamw --momentum 0 --model-ema", "first")
                == Optimizer(.adamw, learningRate: 0.001, weightDecay: 0.01, average: WeightAverage()))
        #expect(
            try optimizer(
                "--opt adam --momentum 0 --lr 0.002 --opt-betas 0.8,0.9 --opt-eps 1e-6 --model-ema "
                    + "--model-ema-decay 0.9 --model-ema-warmup", "second")
                == Optimizer(
                    .adam, learningRate: 0.002, betas: [0.8, 0.9], eps: 1e-6,
                    average: WeightAverage(decay: 0.9, usesWarmup: true)))
        let other = try optimizer(
            "--dampening 0.5 --momentum 0.9 --bn-bias-lr-scale 4 --clip-grad 2.5 --grad-accum-steps 2 "
                + "--sched plateau --patience-epochs 3 --val-split 0.1 --class-weights balanced", "third")
        #expect(other.dampening == 0.5 && other.bnBiasLrScale == 4)
        let configuration = try RunFolder(folder.url("third").path).readConfiguration()
        #expect(configuration.clipGrad == 2.5 && configuration.gradAccumSteps == 2)
        #expect(configuration.schedule?.sched == .plateau && configuration.schedule?.patienceEpochs == 3)
        #expect(configuration.classWeights == .balanced)
        // An average is the model that is tested afterwards.
        let eval = try run("eval second --test-limit 32 --format json")
        #expect(eval.status == 0, "\(eval.errors)")
        let refused = try run("train --resume second --model-ema-decay 0.99")
        #expect(refused.status == 1 && refused.errors.contains("--model-ema-decay is 0.9 there, not 0.99"))
    }

    @Test func storesAbsolutePaths() throws {
        #expect(try run("\(small) --max-steps 1 --run-dir first").status == 0)
        #expect(
            try run("\(small) --max-steps 1 --init ./first/model.safetensors --run-dir second").status == 0)
        let path = try #require(
            try RunFolder(folder.url("second").path).readConfiguration().initialWeights)
        #expect(path.hasPrefix("/") && path.hasSuffix("/first/model.safetensors"))
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func trainEndsLikeTheChapter() throws {
        let result = try run("\(small) --epochs 1 --run-dir run")
        #expect(result.status == 0, "\(result.errors)")
        let last = result.lines.suffix(2)
        #expect(last.first?.contains(/^loss \d+\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}$/) == true)
        #expect(last.last?.contains(/^\d+\.\d examples\/sec on cpu/) == true)
        #expect(result.output.contains("train loss"))
        #expect(try folder.bytes("run/curves.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(try run("\(small) --epochs 1 --run-dir run").errors.contains("--resume"))
        let other = try run("train --resume run --lr 0.5 --batch-size 64")
        #expect(other.status == 1)
        #expect(other.errors.contains("--lr is 0.05 there, not 0.5"))
        #expect(other.errors.contains("--batch-size is 32 there, not 64"))
    }

    @Test func makesAFolderOfItsOwn() throws {
        #expect(try run("\(small) --max-steps 2").status == 0)
        let name = try #require(try folder.names("runs").first)
        #expect(name.contains(/^\d{4}-\d\d-\d\d-\d{6}-vgg$/))
    }

    @Test func estimatesWithoutTraining() throws {
        let result = try run("\(small) --estimate --format json")
        #expect(try result.objects().first?["seconds"] as? Double ?? 0 > 0)
        #expect(try folder.names() == ["errors", "output"])
    }

    /// On the processor, and on what OpenCL makes of it.
    @Test(arguments: Device.available.map { $0.name }) func killedAndResumedIsLikeNeverStopped(
        on device: String
    ) throws {
        let training = "\(small) --device \(device)"
        // So many epochs that no machine is done with them before the run is killed.
        let process = try Program.start(
            "\(training) --epochs 1000000 --run-dir killed".split(separator: " ").map(String.init), in: folder
        )
        let killed = RunFolder(folder.url("killed").path)
        while process.isRunning, !FileManager.default.fileExists(atPath: killed.checkpointPath) {
            usleep(1000)
        }
        kill(process.processIdentifier, SIGKILL)
        #expect(try Program.finish(process, in: folder).status == 128 + SIGKILL)

        // At least two epochs more than whatever the killed run had come to.
        let epochs = try #require(try killed.readMetrics().last?.step) / 10 + 2
        #expect(try run("\(training) --epochs \(epochs) --run-dir whole").status == 0)
        let resumed = try run("train --resume killed --epochs \(epochs)")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try folder.bytes("killed/model.safetensors") == folder.bytes("whole/model.safetensors"))
        #expect(try folder.names("killed") == folder.names("whole"))
    }

    @Test func aResumedRunSaysWhereItIs() throws {
        #expect(try run("\(small) --max-steps 3 --run-dir run").status == 0)
        func resumed(_ options: String = "") throws -> Program.Result {
            try run("train --resume run \(options)")
        }
        #expect(try resumed().output.contains("already finished; give --max-steps N for more\n"))
        #expect(try resumed("--max-steps 10 --epochs 1").output.contains("going on after step 3\n"))
        let finished = try resumed()
        #expect(finished.output.contains("already finished; give --epochs N for more\n"))
        #expect(finished.lines.last?.contains("examples/sec on cpu") == true)
        #expect(
            try resumed("--max-steps 9").errors
                == "error: the run has done 10 steps: --max-steps must be at least 10\n")
        for name in ["checkpoint.safetensors", "model.safetensors", "metrics.jsonl"] {
            try FileManager.default.removeItem(at: folder.url("run/\(name)"))
        }
        #expect(try resumed().output.contains("no checkpoint yet: starting again\n"))
    }

    /// A log that a run has goes on, whatever others are asked for.
    @Test func aRunThatGoesOnMayGetMoreLogs() throws {
        #expect(try run("\(small) --epochs 1 --log csv --run-dir run").status == 0)
        #expect(try run("train --resume run --epochs 2 --log tensorboard,csv").status == 0)
        let kept = RunFolder(folder.url("run").path)
        #expect(try kept.readConfiguration().log == [.csv, .tensorboard])
        let rows = try String(contentsOfFile: kept.tablePath, encoding: .utf8).split(separator: "\n")
        #expect(rows.count == 3 && FileManager.default.fileExists(atPath: kept.eventsPath))
    }

    @Test func warnsWhereBF16IsTheSlower() throws {
        let shell = "export VGG_MAX_ISA=avx512"
        let warning =
            "warning: this processor does not multiply bf16: products are made in fp32, slower than with fp32"
        let bench = "bench --conv-arch 1x8 --size 8 --batch-size 2 --steps 1"
        for command in [
            "\(small) --precision bf16 --max-steps 1 --run-dir run", "\(bench) --precision bf16",
            "eval run --test-limit 2", "predict run --index 0",
        ] {
            let result = try run(command, shell: shell)
            #expect(result.status == 0 && result.errors == "\(warning); use --precision fp32\n")
        }
        #expect(try run("train --resume run", shell: shell).errors == "\(warning)\n")
        #expect(try run("\(bench) --precision fp32", shell: shell).errors.isEmpty)
    }

    @Test func aFullDiskKeepsTheLastCheckpoint() throws {
        #expect(try run("\(small) --epochs 1 --run-dir run").status == 0)
        let before = try folder.bytes("run/checkpoint.safetensors")
        let weights = try folder.bytes("run/model.safetensors")
        let names = try folder.names("run")
        // A limit on the size of files, here in units of 512 bytes, fails a write as a full disk does.
        let result = try run("train --resume run --epochs 2", shell: "ulimit -f \(before.count / 1024)")
        #expect(result.status == 1)
        #expect(result.errors.contains("checkpoint.safetensors: cannot be written"), "\(result.errors)")
        #expect(try folder.bytes("run/checkpoint.safetensors") == before)
        #expect(try folder.bytes("run/model.safetensors") == weights)
        #expect(try folder.names("run") == names)
        #expect(try run("train --resume run --epochs 2").status == 0)
    }

    @Test func aHopelessLearningRateIsDiagnosed() throws {
        let result = try run("\(small) --lr 1e30 --run-dir run")
        #expect(result.status == 1 && result.errors.contains("diverged") && result.errors.contains("--lr"))
        #expect(!result.errors.contains("-nan"))
    }

    @Test func weightsStartFromAFile() throws {
        #expect(try run("\(small) --epochs 2 --run-dir first").status == 0)
        let result = try run(
            "\(small) --max-steps 1 --init first/model.safetensors --lr 1e-9 --run-dir second --format json")
        #expect(result.status == 0, "\(result.errors)")
        // A step at so low a rate leaves the weights where they were.
        let name = "classifier.0.weight"
        let weights = try ["first", "second"].map { run in
            try #require(try TrainedModel(runOrWeights: folder.url(run).path).weights[name]).values
        }
        expectClose(weights[0], weights[1], within: 1e-6, name)
        #expect(weights[0].contains { $0 != 0 })
    }

    /// Real images, and a bar that a network which does not learn cannot pass.
    @Test func learnsFashionMNIST() throws {
        let result = try run(
            """
            train --conv-arch 1x64,1x128,1x128 --arch vgg11_bn --size 28 --epochs 1 --lr 0.05 --momentum 0.9 \
            --train-limit 6400 --test-limit 2000 --run-dir run --format json
            """)
        #expect(result.status == 0, "\(result.errors)")
        let last = try #require(try result.objects().last)
        #expect(try #require(last["test_acc"] as? Double) > 0.6)
    }

    /// Each row shows an image as it is and as training sees it, which depends on the seed.
    @Test func dataDrawsWhatTrainingSees() throws {
        func sheet(_ options: String) throws -> RGBImage {
            let result = try run("data --augment --output sheet.png \(options)")
            #expect(result.status == 0, "\(result.errors)")
            return try RGBImage(contentsOf: folder.url("sheet.png").path)
        }
        /// The pictures of 84×84 pixels in a row and column.
        func picture(_ sheet: RGBImage, _ row: Int, _ column: Int) -> [UInt8] {
            let height = (sheet.height - 10) / 10
            return (0..<84).flatMap { y in
                let start = ((10 + row * height + y) * sheet.width + 10 + column * 94) * 3
                return sheet.pixels[start..<start + 84 * 3]
            }
        }
        let plain = try sheet("")
        // The middle pixel of each square of 3×3 is one of the image's.
        let image = try DatasetStore().load("fashion-mnist").train
        let first = try #require(image.labels.firstIndex(of: 2))
        let pixels = try Array(image.images.pixels(at: first).bytes)
        let drawn = picture(plain, 2, 0)
        let middles = (0..<784).map { place in
            let (row, column) = (place / 28 * 3 + 1, place % 28 * 3 + 1)
            return drawn[(row * 84 + column) * 3]
        }
        #expect(middles == pixels)
        #expect((1..<10).allSatisfy { picture(plain, 2, $0) == drawn })
        let mirrored = try sheet("--hflip 1 --mean 0.286 --std 0.353")
        #expect(picture(mirrored, 2, 0) == drawn && picture(mirrored, 2, 1) != drawn)
        #expect(picture(mirrored, 2, 1) == picture(mirrored, 2, 9))
        let changed = try sheet("--crop-padding 4 --reprob 0.5 --remode pixel")
        #expect(picture(changed, 2, 0) == drawn && picture(changed, 2, 1) != picture(changed, 2, 2))
        #expect(try sheet("--crop-padding 4 --reprob 0.5 --remode pixel") == changed)
        #expect(try sheet("--crop-padding 4 --reprob 0.5 --remode pixel --seed 1") != changed)
    }

    @Test func dataDrawsASheet() throws {
        let result = try run("data --output sheet.png --format json")
        #expect(result.status == 0, "\(result.errors)")
        let object = try #require(try result.objects().first)
        #expect(object["train"] as? Int == 60_000 && object["test"] as? Int == 10_000)
        #expect(object["verified"] as? Bool == true)
        #expect(object["train_per_class"] as? [Int] == Array(repeating: 6000, count: 10))
        #expect(try folder.bytes("sheet.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }
}
