import ArgumentParser
import VGGKit

/// A training by name: options of `vgg train` that stand for it. Those that are given beside it win.
struct Recipe: Encodable {
    let name: String
    let summary: String
    let options: String
    /// What it reaches, where that was measured.
    var reaches: String?
    /// How long it takes, on two processors with AVX-512 and its bf16; what `--estimate` says where `reaches` is nil.
    let takes: String

    static let all = [
        Recipe(
            name: "chapter",
            summary: "the experiment of d2l.ai's chapter: the slim VGG-11 on Fashion-MNIST at 224×224",
            options: "--width-divisor 4 --epochs 10 --lr 0.05 --batch-size 128",
            reaches: "test accuracy 0.925 (seed 0)",
            takes: "1 h 57 min (bf16 by direct convolutions, two busy cores)"),
        Recipe(
            name: "quick",
            summary: "a small network on small images, which learns Fashion-MNIST in minutes",
            options: "--arch vgg11_bn --width-divisor 4 --size 32 --epochs 2 --momentum 0.9",
            reaches: "test accuracy 0.889 (seed 0)", takes: "1 min 10 s (bf16, two idle cores)"),
        Recipe(
            name: "fashion-mnist",
            summary: "a plain VGG on Fashion-MNIST as it is, with what makes it better",
            options: """
                --arch vgg11_bn --conv-arch 2x64,2x128,2x256,2x256 --pool 1 --hidden-features none \
                --size 28 --mean 0.2860 --std 0.3530 --crop-padding 2 --hflip 0.5 --reprob 0.5 --cutmix 1 --mixup-prob 0.5 \
                --epochs 75 --batch-size 128 --lr 0.1 --momentum 0.9 --nesterov --sched cosine --warmup-epochs 3 \
                --weight-decay 5e-4 --no-norm-decay --smoothing 0.1 --model-ema --model-ema-decay 0.999
                """,
            reaches: "test accuracy 0.956 (the mean of seeds 0, 1 and 2)",
            takes: "2 h (bf16, two idle cores)"),
        Recipe(
            name: "cifar10",
            summary: "VGG-16 with batch norm on CIFAR-10; add --data cifar10:PATH",
            options: """
                --arch vgg16_bn --pool 1 --hidden-features none --data cifar10 --size 32 \
                --mean 0.4914,0.4822,0.4465 --std 0.2470,0.2435,0.2616 --crop-padding 4 --hflip 0.5 \
                --epochs 100 --batch-size 128 --lr 0.1 --momentum 0.9 --nesterov --sched cosine --warmup-epochs 3 \
                --weight-decay 5e-4 --no-norm-decay --smoothing 0.1
                """,
            takes: "4 h 45 min (estimated, bf16, two idle cores)"),
        Recipe(
            name: "fine-tune",
            summary:
                "weights that know other photos, on photos of yours; add --init WEIGHTS --data folder:PATH",
            options: """
                --val-split 0.2 --keep best --scale 0.5,1 --hflip 0.5 --smoothing 0.1 \
                --epochs 10 --batch-size 32 --lr 0.001 --lr-head 0.01 --momentum 0.9 --sched cosine --warmup-epochs 1
                """,
            takes: "20 min for 1,000 photos from VGG-16 (estimated, bf16, two idle cores)"),
    ]

    /// Whether it is nothing without weights to start from.
    var needsWeights: Bool { name == "fine-tune" }

    /// The data set that it is for; nil for any.
    var data: DataName? { words.values["--data"].flatMap(DataName.init(argument:)) }

    static func named(_ name: String) -> Recipe? { all.first { $0.name == name } }

    /// The words of its options.
    private var words: OptionWords { OptionWords(options.split(separator: " ").map(String.init)) }

    /// Its words without those that what was typed leaves no place for.
    private func words(beside typed: [String: String]) -> OptionWords {
        let known = words
        let leaveNoPlace = Set(typed.flatMap { displaced(by: $0.key, beside: typed, among: known.values) })
        return OptionWords(known.dropping(leaveNoPlace.contains))
    }

    /// What makes no sense beside an option that was typed, which therefore wins over more than its namesake.
    /// - Parameters:
    ///   - typed: all that was, with their values.
    ///   - known: the recipe's options and their values.
    private func displaced(
        by option: String, beside typed: [String: String], among known: [String: String]
    ) -> [String] {
        let value = typed[option] ?? ""
        func isZero(_ value: String?) -> Bool { value.flatMap(Double.init) == 0 }
        return switch option {
        case "--arch": ["--conv-arch"] + (value == "alexnet" ? ["--pool", "--hidden-features"] : [])
        // Statistics are those of a data set.
        case "--data" where DataName(argument: value)?.name != known["--data"] ?? TrainingConfiguration().data:
            ["--mean", "--std"]
        case "--preprocessing" where value != "garment": ["--mean", "--std"]
        // Of bytes they are never mixed with those of 0…1.
        case "--mean" where NumberList<Double>(argument: value)?.numbers.contains { $0 > 1 } == true:
            ["--std"]
        case "--std" where NumberList<Double>(argument: value)?.numbers.contains { $0 > 1 } == true:
            ["--mean"]
        case "--adaptive-pool": ["--pool"]
        case "--opt" where value != "sgd": ["--momentum", "--nesterov", "--lr", "--lr-head"]
        case "--dampening": ["--nesterov"]
        case "--momentum" where isZero(value): ["--nesterov"]
        case "--weight-decay" where isZero(value): ["--no-norm-decay"]
        case "--no-model-ema": ["--model-ema", "--model-ema-decay", "--model-ema-warmup"]
        case "--sched" where value == "onecycle": ["--warmup-epochs", "--warmup-lr"]
        case "--epochs" where Int(value) ?? .max < Int(known["--warmup-epochs"] ?? "") ?? 0:
            ["--warmup-epochs"]
        case "--crop-padding": ["--scale", "--ratio"]
        case "--scale", "--ratio": ["--crop-padding"]
        case "--cutmix-minmax": ["--cutmix"]
        case "--cutmix"
        where isZero(value) && isZero(typed["--mixup"] ?? "0") && typed["--cutmix-minmax"] == nil:
            ["--mixup-prob"]
        case "--class-weights": ["--mixup", "--cutmix", "--mixup-prob"]
        default: []
        }
    }

    /// A command line in which the options of a recipe that it names stand before its own, which therefore win.
    static func expanding(_ arguments: [String]) -> [String] {
        guard let command = arguments.first, ["train", "data"].contains(command) else { return arguments }
        let own = Array(arguments.dropFirst().prefix { $0 != "--" })
        var typed = OptionWords(own).values
        guard let recipe = (typed["--recipe"] ?? typed["--preset"]).flatMap(named) else { return arguments }
        guard command == "data" else {
            return [command] + recipe.words(beside: typed).all + arguments.dropFirst()
        }
        let options = DataCommand.options
        typed["--data"] = OptionWords(own).arguments(flags: Set(options.filter { !$0.value }.keys)).first
        return [command] + recipe.words(beside: typed).dropping { options[$0] == nil } + arguments.dropFirst()
    }
}

/// A command line's words, and its options with their values, where they have one: `--seed 1` or `--seed=1`.
private struct OptionWords {
    let all: [String]
    /// The last value of each option, empty for a flag.
    private(set) var values: [String: String] = [:]

    init(_ words: [String]) {
        all = words
        for (index, word) in words.enumerated() where word.hasPrefix("--") {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let next = words.dropFirst(index + 1).first.flatMap { $0.hasPrefix("--") ? nil : $0 }
            values[parts[0]] = parts.count > 1 ? parts[1] : next ?? ""
        }
    }

    /// The words that are neither an option nor the value of one.
    /// - Parameter flags: options without a value.
    func arguments(flags: Set<String>) -> [String] {
        zip([""] + all, all).filter { before, word in
            let follows = before.hasPrefix("--") && !before.contains("=") && !flags.contains(before)
            return !word.hasPrefix("--") && !follows
        }.map(\.1)
    }

    /// The words without some options and their values.
    func dropping(_ isDropped: (String) -> Bool) -> [String] {
        var option = ""
        return all.filter { word in
            if word.hasPrefix("--") { option = word }
            return !isDropped(option)
        }
    }
}

extension Recipe: ExpressibleByArgument {
    init?(argument: String) {
        guard let recipe = Recipe.named(argument) else { return nil }
        self = recipe
    }

    static var allValueStrings: [String] { all.map(\.name) }
}
