import ArgumentParser

/// A training by name: options of `vgg train` that stand for it. Those that are given beside it win.
struct Recipe: Encodable {
    let name: String
    let summary: String
    let options: String
    /// What it reaches, where that was measured.
    var reaches: String?

    static let all = [
        Recipe(
            name: "chapter",
            summary: "the experiment of d2l.ai's chapter: the slim VGG-11 on Fashion-MNIST at 224×224",
            options: "--width-divisor 4 --epochs 10 --lr 0.05 --batch-size 128",
            reaches: "test accuracy 0.925 (bf16, by direct convolutions)"),
        Recipe(
            name: "quick",
            summary: "a small network on small images, which learns Fashion-MNIST in minutes",
            options: "--arch vgg11_bn --width-divisor 4 --size 32 --epochs 2 --momentum 0.9"),
        Recipe(
            name: "fashion-mnist",
            summary: "a plain VGG on Fashion-MNIST as it is, with what makes it better",
            options: """
                --arch vgg11_bn --conv-arch 2x64,2x128,2x256,2x256 --pool 1 --hidden-features none \
                --size 28 --mean 0.2860 --std 0.3530 --crop-padding 2 --hflip 0.5 --reprob 0.5 \
                --epochs 75 --batch-size 128 --lr 0.1 --momentum 0.9 --nesterov --sched cosine --warmup-epochs 3 \
                --weight-decay 5e-4 --no-norm-decay --smoothing 0.1 --model-ema --model-ema-decay 0.999
                """,
            reaches: "test accuracy 0.953, with --tta mirror,shift:1 0.957 (seed 0, bf16, 2 h 16 min)"),
        Recipe(
            name: "cifar10",
            summary: "VGG-16 with batch norm on CIFAR-10; add --data cifar10:PATH",
            options: """
                --arch vgg16_bn --pool 1 --hidden-features none --data cifar10 --size 32 \
                --mean 0.4914,0.4822,0.4465 --std 0.2470,0.2435,0.2616 --crop-padding 4 --hflip 0.5 \
                --epochs 100 --batch-size 128 --lr 0.1 --momentum 0.9 --nesterov --sched cosine --warmup-epochs 3 \
                --weight-decay 5e-4 --no-norm-decay --smoothing 0.1
                """),
        Recipe(
            name: "fine-tune",
            summary:
                "weights that know other photos, on photos of yours; add --init WEIGHTS --data folder:PATH",
            options: """
                --val-split 0.2 --keep best --scale 0.5,1 --hflip 0.5 --smoothing 0.1 \
                --epochs 10 --batch-size 32 --lr 0.001 --lr-head 0.01 --momentum 0.9 --sched cosine --warmup-epochs 1
                """),
    ]

    /// Whether it is nothing without weights to start from.
    var needsWeights: Bool { name == "fine-tune" }

    static func named(_ name: String) -> Recipe? { all.first { $0.name == name } }

    /// Its options without those that make no sense beside what was typed: rows beside another architecture, the
    /// settings of SGD beside another optimiser.
    private func words(beside own: [String]) -> [String] {
        func has(_ option: String) -> Bool { own.contains { $0 == option || $0.hasPrefix("\(option)=") } }
        var left: Set<String> = []
        if has("--arch"), !has("--conv-arch") { left.insert("--conv-arch") }
        if has("--opt"), !own.contains("sgd"), !own.contains("--opt=sgd") {
            left.formUnion(["--momentum", "--nesterov", "--lr"])
        }
        var words: [String] = []
        var isLeft = false
        for word in options.split(separator: " ").map(String.init) {
            if word.hasPrefix("--") { isLeft = left.contains(word) }
            if !isLeft { words.append(word) }
        }
        return words
    }

    /// A command line in which the options of a recipe that it names stand before its own, which therefore win.
    static func expanding(_ arguments: [String]) -> [String] {
        guard arguments.first == "train" else { return arguments }
        let own = Array(arguments.dropFirst().prefix { $0 != "--" })
        for (index, argument) in own.enumerated().reversed() {
            let next = own.dropFirst(index + 1).first
            for option in ["--recipe", "--preset"] {
                let name =
                    argument == option
                    ? next
                    : argument.hasPrefix("\(option)=") ? String(argument.dropFirst(option.count + 1)) : nil
                guard let recipe = name.flatMap(named) else { continue }
                return ["train"] + recipe.words(beside: own) + arguments.dropFirst()
            }
        }
        return arguments
    }
}

extension Recipe: ExpressibleByArgument {
    init?(argument: String) {
        guard let recipe = Recipe.named(argument) else { return nil }
        self = recipe
    }

    static var allValueStrings: [String] { all.map(\.name) }
}
