import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// What is typed, what the one line must say, and the exit code.
    static let mistakes: [(arguments: String, says: String, status: Int32)] = [
        ("train --epochs 0", "--epochs", 64), ("train --epochs -1", "--epochs", 64),
        ("train --epochs many", "--epochs", 64), ("train --batch-size 0", "--batch-size", 64),
        ("train --lr 0", "--lr", 64), ("train --lr -0.1", "--lr", 64), ("train --size 0", "--size", 64),
        ("train --threads 0", "--threads", 64), ("train --train-limit 0", "--train-limit", 64),
        ("train --test-limit -5", "--test-limit", 64), ("train --max-steps 0", "--max-steps", 64),
        ("train --momentum 1", "--momentum", 64), ("train --weight-decay -1", "--weight-decay", 64),
        ("train --batch-size 65537", "--batch-size must be between 1 and 65536", 64),
        ("train --epochs 1000001", "--epochs", 64),
        ("train --max-steps 9223372036854775807", "--max-steps", 64),
        ("train --train-limit 9223372036854775807", "--train-limit", 64),
        ("train --test-limit 9223372036854775807", "--test-limit", 64),
        ("train --threads 1025", "--threads", 64),
        ("train --width-divisor 0", "--width-divisor", 64), ("train --classes -1", "--classes", 64),
        ("train --dropout 1", "--dropout", 64), ("train --block-dropout 1", "--block-dropout", 64),
        (
            "train --recipe fashion-mnist --dropout 0.3",
            "--dropout follows the classifier's hidden layers, of which there are none; --block-dropout is", 1
        ),
        ("train --arch alexnet --block-dropout 0.1", "--block-dropout is for VGG", 64),
        ("train --lr-find --distributed mpi", "--distributed mpi is for a training", 64),
        ("train --in-channels 0", "--in-channels", 64),
        ("train --arch vgg1", "vgg1", 64), ("train --conv-arch 1x64,", "conv", 64),
        ("train --size 16", "block 5", 64), ("train --device cuda", "there is no device cuda; there", 64),
        ("train --recipe slow", "--recipe", 64), ("train --recipe fine-tune", "needs weights", 64),
        ("train --recipe cifar10", "give its folder with its name: cifar10:PATH", 1),
        ("data --augment --recipe cifar10 --output a.png", "give its folder with its name: cifar10:PATH", 1),
        ("data --output a.jpg", "a.jpg must end in .png", 64),
        ("data --augment --size 8192 --output a.png", "--size must be between 1 and 1024", 64),
        ("help nosuch", "there is no command 'nosuch'", 64),
        (
            "summary --conv-arch 64x8192 --size 8192 --batch-size 65536 --in-channels 3 --precision fp32",
            "cannot be reserved", 1
        ),
        ("distance a.png b.png --weights w.pth --layer ,", "--layer must name one layer or several", 64),
        ("predict fashion-mnist missing.png --arch vgg19_bn", "block 5 shrinks it to 0", 1),
        ("predict fashion-mnist missing.png --arch alexnet", "too small", 1),
        ("train --recipe fashion-mnist --mean 73", "give --std of such values, too", 64),
        ("train --init fashion-mnist --in-channels 3", "has 1 input channel, which does not fit", 1),
        ("train --lr-find --lr-find-range 1e-7,1e307", "--lr-find-range must be two rates above 0", 64),
        ("train --no-such-option", "--no-such-option", 64),
        ("train --run-dir a --resume b", "--resume", 64),
        ("train --resume missing", "missing is not a run folder", 1),
        ("train --data-dir missing", "missing", 1), ("train --data nothing-like-it", "nothing-like-it", 1),
        ("train --size 32 --classes 9", "10 classes", 1), ("train --lr-head -1", "--lr-head", 64),
        ("train --freeze features", "--freeze needs weights", 64), ("train --freeze all", "--freeze", 64),
        ("train --no-norm-decay", "--no-norm-decay needs a --weight-decay above 0", 64),
        ("train --smoothing 1", "--smoothing must", 64), ("train --patience 0", "--patience must", 64),
        ("train --keep best", "--keep best needs images", 64),
        ("train --sched plateau", "--sched plateau needs images", 64),
        ("train --cutmix 1e-310", "--cutmix must be between", 64),
        ("train --cutmix 0 --mixup-prob 0.5", "--mixup-prob needs --mixup or --cutmix", 64),
        ("explain fashion-mnist a.png --output b.png --method lime", "must be grad-cam, saliency, ", 64),
        (
            "train --lr-find --max-steps 3", "--max-steps is for a training; --lr-find makes --lr-find-steps",
            64
        ),
        ("train --sched none --min-lr 0.1", "--min-lr is for --sched cosine or plateau", 64),
        ("train --opt adam --opt-eps 1e-50", "--opt-eps must be greater", 64),
        ("bench --mode infer --momentum 0.9", "--momentum and --freeze are for --mode train", 64),
        ("train --lr-find-steps 50", "--lr-find-steps is for --lr-find", 64),
        ("train --lr-find --run-dir a", "leave out --run-dir", 64),
        ("train --lr-find --lr-find-range 1,0.1", "--lr-find-range must be two rates above 0", 64),
        ("train --lr-find --lr-find-steps 3", "--lr-find-steps must be between 20", 64),
        ("train --lr-find --lr-find-chart a.jpg", "a.jpg must end in .svg or .png", 64),
        ("train --bn-bias-lr-scale 64", "--bn-bias-lr-scale is for networks with batch norm", 64),
        ("train --log csv,csv", "--log", 64), ("train --scale 0.5 0.25", "--scale must be two numbers", 64),
        ("eval fashion-mnist --tta shift:28", "--tta shift:28 leaves nothing of pictures of 28×28", 64),
        ("predict fashion-mnist missing.png --tta mirror,shift:30", "give less than 28", 64),
        ("convert missing.pth out.onnx --dtype fp16", "--dtype is for .safetensors", 64),
        ("eval fashion-mnist --weights-key model", "leave out --weights-key", 1),
        ("train --patience 3", "--patience needs images", 64), ("train --keep first", "--keep", 64),
        ("train --val-split 1 --keep best", "--val-split must", 64),
        ("train --sched cosine --patience-epochs 3", "--patience-epochs is for --sched plateau", 64),
        ("train --class-weights nobody.json", "nobody.json", 64),
        ("train --class-weights {\"shoes\":2}", "names what is no class: \"shoes\"; the classes are", 64),
        ("train --class-weights {}", "--class-weights must name a class", 64),
        ("train --class-weights [2]", "'--class-weights <balanced|file>': [2]: cannot be opened", 64),
        ("train --class-weights balanced --mixup 1", "--class-weights is not for --mixup and --cutmix", 64),
        ("train --opt-eps 1e-6", "--opt-eps is for --opt adam or adamw", 64),
        ("train --opt adam --momentum 0.9", "--momentum is for --opt sgd", 64),
        ("train --model-ema-decay 0.9", "--model-ema-decay needs --model-ema", 64),
        ("train --mixup-switch-prob 0.5 --mixup 1", "--mixup-switch-prob needs --mixup and --cutmix", 64),
        ("train --sched multistep", "--sched multistep needs --decay-milestones", 64),
        ("train --sched linear", "--sched", 64), ("train --decay-milestones 3,x", "--decay-milestones", 64),
        ("train --min-lr 0.1", "--min-lr is for --sched cosine", 64),
        ("train --warmup-epochs 11", "--warmup-epochs must be between 0 and the 10 of --epochs", 64),
        ("train --crop-padding 4 --scale 0.5,1", "--crop-padding and --scale", 64),
        ("train --scale 0.5", "--scale must be two numbers", 64), ("train --hflip -1", "--hflip", 64),
        ("train --remode pixel", "--remode needs --reprob", 64),
        ("train --auto-augment ra", "--auto-augment", 64),
        ("train --size 32 --in-channels 3", "have 1 channel;", 1),
        ("train --size 32 --init missing.safetensors", "missing.safetensors", 1),
        ("train --size 32 --train-limit 9 --run-dir /dev/null/run", "/dev/null/run", 1),
        ("train --pool 7 --adaptive-pool", "--adaptive-pool is --pool 7", 64),
        ("train --pool 0", "--pool must", 64),
        ("train --pool 257", "--pool must", 64), ("train --pool all", "--pool", 64),
        ("train --pool -1", "--pool", 64),
        ("train --hidden-features 0", "--hidden-features must", 64),
        ("train --classes 0", "--classes must", 64),
        ("train --hidden-features 512,", "--hidden-features", 64),
        (
            "train --hidden-features \(Array(repeating: "8", count: 17).joined(separator: ","))",
            "--hidden-features must", 64
        ),
        ("train --arch alexnet --hidden-features none", "--hidden-features is for VGG", 64),
        ("train --arch alexnet --pool 1", "--pool is for VGG", 64), ("train --conv-arch 8+", "conv", 64),
        ("predict missing photo.jpg --pool x", "--pool", 64),
        ("summary --size 31", "block 5", 64), ("summary --batch-size 0", "--batch-size", 64),
        ("summary --batch-size 65537", "--batch-size", 64), ("bench --batch-size 65537", "--batch-size", 64),
        ("bench --steps 1000001", "--steps", 64), ("bench --threads 9223372036854775807", "--threads", 64),
        ("eval missing --batch-size 65537", "--batch-size", 64),
        ("eval missing --threads 1025", "--threads", 64),
        ("eval missing --test-limit 9223372036854775807", "--test-limit", 64),
        ("eval missing --size 0", "--size", 64), ("eval missing --tta flip", "--tta", 64),
        ("eval missing --tta shift:0", "--tta", 64), ("predict missing --index 0 --tta mirror,", "--tta", 64),
        ("eval missing", "missing", 1), ("eval", "run-or-weights", 64),
        ("predict missing --index 0", "missing", 1), ("predict missing --index -1", "--index", 64),
        ("predict missing", "nothing to predict", 64), ("predict missing photo.jpg", "missing", 1),
        ("predict missing --index 0 photo.jpg", "--index", 64),
        ("predict missing photo.jpg --data mnist", "--data", 64), ("predict missing - -", "twice", 64),
        ("predict missing photo.jpg --batch-size 0", "--batch-size", 64),
        ("predict missing photo.jpg --preprocessing none", "--preprocessing", 64),
        ("predict missing --index 0 --top 0", "--top", 64), ("data nothing-like-it", "nothing-like-it", 1),
        ("data --hflip 0.5 --output a.png", "drawn with --augment", 64), ("data --augment", "--output", 64),
        ("data --recipe quick --output a.png", "drawn with --augment", 64),
        ("data --augment --output a.png --hflip 2", "--hflip must", 64),
        ("convert missing.pth out.txt", "out.txt must end in .safetensors or .onnx", 64),
        ("convert missing.pth out.onnx --naming timm", "--naming is for .safetensors", 64),
        ("convert missing.pth out.onnx --size 0", "--size", 64),
        ("convert missing.pth out.safetensors --naming keras", "keras", 64),
        ("convert missing.pth out.onnx", "missing.pth", 1),
    ]

    @Test(arguments: mistakes.indices) func sayInOneLineWhatIsWrong(_ index: Int) throws {
        let mistake = Self.mistakes[index]
        let result = try run(mistake.arguments)
        #expect(result.status == mistake.status, "\(mistake.arguments): \(result.errors)")
        #expect(result.output.isEmpty)
        #expect(
            result.errors.hasPrefix("error: ") && result.errors.contains(mistake.says), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        // Nothing is left behind but the two files this test made.
        #expect(try folder.names() == ["errors", "output"])
    }

    /// The largest values that are allowed: memory is short, but nothing overflows.
    @Test(arguments: [
        "train --size 8192 --batch-size 65536 --epochs 1000000",
        "bench --size 8192 --batch-size 65536 --in-channels 8192 --threads 1024",
    ])
    func saysThatMemoryIsShort(_ arguments: String) throws {
        let result = try run(arguments)
        #expect(result.status == 1 && result.output.isEmpty)
        #expect(
            result.errors.hasPrefix("error: ") && result.errors.contains("smaller images"),
            "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(try folder.names() == ["errors", "output"])
    }

    @Test func refusesAnUnknownInstructionSet() throws {
        let wrong = try run("summary", shell: "export VGG_MAX_ISA=avx1024")
        #expect(wrong.status == 64 && wrong.output.isEmpty)
        let known = InstructionSet.allCases.map { "\($0)" }.joined(separator: ", ")
        #expect(known.hasPrefix("portable, "))
        #expect(wrong.errors == "error: VGG_MAX_ISA must be one of \(known), not avx1024\n")
        #expect(try run("summary", shell: "export VGG_MAX_ISA=portable").status == 0)
    }

    @Test func refusesAFileThatIsNoWeights() throws {
        try Data("not weights at all".utf8).write(to: folder.url("weights.safetensors"))
        let result = try run("eval weights.safetensors")
        #expect(result.status == 1 && result.errors.contains("weights.safetensors"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func refusesAFolderThatCannotBeWritten() throws {
        // The superuser may write anywhere but below a file.
        try Data().write(to: folder.url("file"))
        let result = try run("train --size 32 --train-limit 10 --test-limit 10 --run-dir file/run")
        #expect(result.status == 1 && result.errors.contains("file/run"))
        let file = try run("train --size 32 --train-limit 10 --test-limit 10 --run-dir file")
        #expect(file.status == 1 && file.errors.contains("file: is a file, not a folder"))
    }

    @Test func refusesDamagedData() throws {
        try FileManager.default.createDirectory(at: folder.url("data"), withIntermediateDirectories: true)
        for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
            try Data("\u{0}\u{0}\u{8}\u{3} and then nothing".utf8).write(to: folder.url("data/\(name)-ubyte"))
        }
        let result = try run("train --size 32 --data-dir data")
        #expect(result.status == 1 && result.errors.contains("-ubyte"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }
}
