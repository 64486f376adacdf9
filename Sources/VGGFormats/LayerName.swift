/// What a layer is called in a weight file, without what wrappers put into its name.
struct LayerName: Hashable {
    /// A run of digits in a name, or of anything else.
    enum Token: Hashable {
        case text(String)
        case number(Int)
    }

    /// Which tensor of its layer a name means.
    enum Role: String {
        case weight, bias
        case runningMean = "running_mean"
        case runningVariance = "running_var"
        /// PyTorch's counter of batches, which inference does not need.
        case counter = "num_batches_tracked"

        /// What some libraries say instead.
        static let aliases: [String: Role] = [
            "weights": .weight, "w": .weight, "gamma": .weight, "biases": .bias, "b": .bias, "beta": .bias,
        ]
    }

    /// What the dots divide, such as `features` and `0`.
    var components: [String]

    /// DataParallel, torch.compile, fully sharded training and checkpointed activations call what they wrap so.
    private static let wrappers: Set = [
        "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module",
    ]

    /// No layer's name is longer, in bytes.
    private static let maximumLength = 256

    /// Reads the name of a tensor, such as `module.features.0.weight` or `conv1_1_w`.
    /// - Returns: the layer, what the file calls it and which of its tensors it is; nil for any other name.
    static func parse(_ name: String) -> (layer: LayerName, fileName: String, role: Role)? {
        var components = name.split { $0 == "." || $0 == "/" }.map(String.init)
        guard name.utf8.count <= maximumLength, let last = components.popLast() else { return nil }
        func role(_ word: Substring) -> Role? {
            Role(rawValue: word.lowercased()) ?? Role.aliases[word.lowercased()]
        }
        var word = last[...]
        if role(word) == nil, let end = last.lastIndex(of: "_") {
            word = last[last.index(after: end)...]
            components.append(String(last[..<end]))
        }
        guard let role = role(word) else { return nil }
        components.removeAll(where: wrappers.contains)
        guard !components.isEmpty else { return nil }
        return (LayerName(components: components), String(name.dropLast(word.count + 1)), role)
    }

    /// The runs of digits and of anything else, from the component at `start` on.
    func tokens(from start: Int = 0) -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(components.dropFirst(start).joined(separator: ".")).utf8
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        while let first = rest.first {
            let run = rest.prefix { isDigit($0) == isDigit(first) }
            // A number that is too long for one is a text; sums and differences of the others do not overflow.
            if isDigit(first), run.count < 10, let number = Int(Substring(run)) {
                tokens.append(.number(number))
            } else {
                tokens.append(.text(String(Substring(run))))
            }
            rest = rest[run.endIndex...]
        }
        return tokens
    }

    /// The name with every number left out, which layers in one Sequential share.
    var pattern: String {
        tokens().map { if case .text(let text) = $0 { text } else { "#" } }.joined()
    }

    /// Whether a component says that the layer is of a classifier.
    var isOfClassifier: Bool {
        tokens().contains { token in
            guard case .text(let text) = token else { return false }
            return text.split(separator: ".").contains { Self.classifierWords.contains($0.lowercased()) }
        }
    }

    private static let classifierWords: Set = [
        "classifier", "pre_logits", "head", "fc", "linear", "dense", "predictions",
    ]
}
