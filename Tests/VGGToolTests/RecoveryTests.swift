import Foundation
import Testing
import VGGKit

/// Advice in errors, followed as somebody would who copies it into a shell.
extension ToolTests {
    /// The command that a message ends with, run in a shell of the test's folder with `vgg` the program under test.
    private func follow(_ message: String, _ more: String = "") throws -> Program.Result {
        let command = try #require(message.range(of: "vgg train ")).upperBound
        let words = message[command...].prefix { !$0.isNewline }
        return try run("train", shell: "exec \"$0\" \"$1\" \(words) \(more)")
    }

    private func small(_ options: String) -> String {
        "train --conv-arch 1x8 --hidden-features none --size 8 --batch-size 32 --train-limit 64 --test-limit 32 "
            + "--epochs 1 --precision fp32 \(options)"
    }

    /// A limit on the size of files stands for a full disk.
    @Test func aFullDiskEndsATrainingWithAWayOn() throws {
        let full = try run(small("--run-dir run --hidden-features 512"), shell: "ulimit -f 200")
        #expect(full.status == 1)
        #expect(
            full.errors.hasSuffix(
                "checkpoint.safetensors: cannot be written (the old file, if any, is kept): File too large; "
                    + "when it can be, go on with vgg train --resume run\n"))
        #expect(try follow(full.errors).status == 0)
        let later = try run("train --resume run --epochs 2", shell: "ulimit -f 200")
        #expect(later.errors.contains("go on from the last checkpoint with vgg train --resume run\n"))
        #expect(try follow(later.errors).output.contains("going on after step 2\n"))
    }

    @Test func anotherRateIsANewRunFromItsWeights() throws {
        let name = "it's a run"
        let started = try run(words: small("--run-dir").split(separator: " ").map(String.init) + [name])
        #expect(started.status == 0)
        let refused = try run(words: ["train", "--resume", name, "--lr", "0.01"])
        #expect(refused.status == 1)
        // Where the processor is fastest in it, it needs no word.
        let precision = TrainingConfiguration().precision == .fp32 ? "" : " --precision fp32"
        #expect(
            refused.errors == """
                error: it's a run was started with other options: --lr is 0.05 there, not 0.01; leave them out, or start a \
                new run from its weights: vgg train --init 'it'\\''s a run' --epochs 1 --lr 0.01 --batch-size 32\(precision) --train-limit 64 --test-limit 32

                """)
        let result = try follow(
            refused.errors, "--max-steps 1 --run-dir new")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try RunFolder(folder.url("new").path).readConfiguration().optimizer.learningRate == 0.01)
        let twice = try run(words: ["train", "--run-dir", name])
        #expect(
            twice.errors.contains(
                "go on with vgg train --resume 'it'\\''s a run', or choose another --run-dir"))
    }

    /// A cosine ends with the run: more epochs are another training, whose command has all of the recipe.
    @Test func moreEpochsOfACosineAreANewRun() throws {
        let recipe = """
            --weight-decay 0.01 --no-norm-decay --smoothing 0.1 --sched cosine --warmup-epochs 1 --warmup-lr 1e-6 \
            --min-lr 1e-5 --crop-padding 1 --alternating-flip --color-jitter 0.1,0.2,0.3 --auto-augment ta_wide \
            --reprob 0.5 --remode pixel --recount 2 --mixup 0.2 --cutmix 1 --mixup-prob 0.5 --mixup-off-epoch 2
            """
        #expect(try run(small("--run-dir run \(recipe)")).status == 0)
        #expect(try run("train --resume run").output.contains("already finished\n"))
        let refused = try run("train --resume run --epochs 3")
        #expect(refused.status == 1 && refused.errors.contains("--epochs is 1 there, not 3;"))
        #expect(try follow(refused.errors, "--run-dir new").status == 0)
        let (old, new) = (RunFolder(folder.url("run").path), RunFolder(folder.url("new").path))
        var configuration = try old.readConfiguration()
        configuration.initialWeights = old.path
        configuration.epochs = 3
        // What is usual with alternating flips is said.
        configuration.augmentation?.hflip = 0.5
        // The weights say how their images were prepared.
        configuration.preprocessing = try .plain(8, channels: .grey)
        #expect(try new.readConfiguration() == configuration)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func dataThatMovedAreNamedAnew() throws {
        try writeStripes(16)
        #expect(try run(stripesTraining).status == 0)
        // As its command says, a new run from its weights keeps to its photos and to everything else.
        let refused = try run("train --resume run --lr 0.02 --seed 0")
        #expect(refused.status == 1)
        #expect(try follow(refused.errors, "--run-dir new").status == 0)
        let (old, new) = (RunFolder(folder.url("run").path), RunFolder(folder.url("new").path))
        var configuration = try old.readConfiguration()
        configuration.initialWeights = old.path
        configuration.optimizer.learningRate = 0.02
        #expect(try new.readConfiguration() == configuration)
        #expect(try new.readPhotos() == old.readPhotos())

        try FileManager.default.moveItem(at: folder.url("photos"), to: folder.url("moved"))
        let problem =
            "error: \(folder.url("photos").path): the run's data are no longer there; say where they are now: --data-dir FOLDER\n"
        for command in ["eval run", "predict run --index 1", "train --resume run --epochs 7"] {
            let missing = try run(command)
            #expect(missing.status == 1 && missing.errors == problem, "\(command)")
            #expect(try run("\(command) --data-dir moved").status == 0, "\(command)")
        }
        // A place to mount a disk at is there without the disk.
        try FileManager.default.moveItem(at: folder.url("moved"), to: folder.url("again"))
        try FileManager.default.createDirectory(at: folder.url("moved"), withIntermediateDirectories: false)
        let empty = try run("train --resume run --epochs 8")
        #expect(empty.status == 1 && empty.errors.hasSuffix("elsewhere now, say where: --data-dir FOLDER\n"))
    }

    /// What a run is asked for and cannot do: what is advised works.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func otherDataAndChoicesAreAnotherRun() throws {
        #expect(try run(greyTraining).status == 0)
        try writeStripes(4, in: "photos/train")
        try writeStripes(2, in: "photos/val")
        let refused = try run("train --resume run --data folder:photos")
        #expect(refused.status == 1)
        #expect(try follow(refused.errors, "--run-dir new").status == 0)
        #expect(try RunFolder(folder.url("new").path).readConfiguration().hasPhotos)

        let keep = try run("train --resume run --keep best")
        #expect(
            keep.status == 1 && keep.errors.contains("the run keeps none; go on without, or start a new run"),
            "\(keep.errors)")
        // What was chosen once stays chosen.
        #expect(try run("train --resume run --epochs 2 --precision auto").status == 0)
    }

    /// Names of one letter, which nothing is at yet.
    @Test func runsMayBeCalledAnything() throws {
        for name in ["q", "r/", "s/a"] {
            #expect(try run(small("--max-steps 1 --run-dir \(name)")).status == 0, "\(name)")
        }
    }

    @Test func noOutputReplacesARunsWeights() throws {
        #expect(try run(small("--run-dir run")).status == 0)
        let before = try folder.bytes("run/model.safetensors")
        for (output, problem) in [
            ("run/model.safetensors", "belongs to the run in that folder"),
            ("./run/checkpoint.safetensors", "belongs to the run in that folder"),
        ] {
            let refused = try run("convert run \(output)")
            #expect(refused.status == 1)
            #expect(refused.errors == "error: \(output): \(problem); write to another file\n")
        }
        #expect(try run("convert run a.safetensors").status == 0)
        let own = try run("convert a.safetensors a.safetensors")
        #expect(own.errors == "error: a.safetensors: is the file that is read; write to another file\n")
        #expect(try folder.bytes("run/model.safetensors") == before)
    }
}
