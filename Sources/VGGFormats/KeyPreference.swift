/// Which of several weights that are as good is taken, by the key they are under.
///
/// Averaged weights (`model_ema`, `state_dict_ema`, `ema`, `swa_…`) come first, because they are kept in order to be used:
/// timm's `load_state_dict` takes them unless it is told otherwise, and torchvision's training script tests with
/// them. MMEngine swaps the two when it saves: its `state_dict` is the average, and `ema_state_dict` the weights as
/// trained. Then come the plain names (`state_dict`, `model`), then others, and last what belongs to an optimizer.
enum KeyPreference: Int, Comparable {
    case averaged, plain, other, optimizer

    /// - Parameters:
    ///   - key: the keys on the way to the weights, joined with dots.
    ///   - isMMEngines: whether MMEngine wrote the file.
    init(_ key: String, isMMEngines: Bool = false) {
        let words = Set(key.lowercased().split { !$0.isLetter }.map(String.init))
        if !words.isDisjoint(with: Self.optimizerWords) {
            self = .optimizer
        } else if words.isDisjoint(with: Self.averageWords) == isMMEngines {
            self = .averaged
        } else {
            self =
                Self.plainKeys.contains(key.split(separator: ".").last.map(String.init) ?? "")
                ? .plain : .other
        }
    }

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    private static let averageWords: Set = ["ema", "swa", "average", "averaged", "avg"]
    /// `exp` is of Adam's `exp_avg`.
    private static let optimizerWords: Set = [
        "optimizer", "optimizers", "optim", "grad", "grads", "gradients", "momentum", "exp",
    ]
    private static let plainKeys: Set = [
        "state_dict", "model", "model_state_dict", "model_state", "network", "net", "module", "weights",
        "params",
    ]
}
