import ArgumentParser
import VGGKit

extension BatchMixing.Mode: ExpressibleByArgument {}

/// How training pictures are mixed with each other.
struct MixingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Mix each training picture with another of its batch, in shares of Beta(alpha, alpha); 0 for none.",
            valueName: "alpha"))
    var mixup: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Put a part of another picture of the batch into each, in shares of Beta(alpha, alpha); 0 for none.",
            valueName: "alpha"))
    var cutmix: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The same with parts whose sides are between these shares of the picture's.",
            valueName: "least,greatest"))
    var cutmixMinmax: NumberList<Double>?

    @Option(parsing: .unconditional, help: "How probably pictures are mixed (default: 1).")
    var mixupProb: Double?

    @Option(parsing: .unconditional, help: "How probably it is cutmix where both are given (default: 0.5).")
    var mixupSwitchProb: Double?

    @Option(
        help: ArgumentHelp(
            "What is drawn once: for a whole batch (the default), for each pair, or for each picture.",
            valueName: "batch|pair|elem"))
    var mixupMode: BatchMixing.Mode?

    @Option(parsing: .unconditional, help: "Mix no more after so many epochs (default: 0, mix to the end).")
    var mixupOffEpoch: Int?

    /// The settings with what was given; nil if nothing ever was.
    func applied(to base: MixingSettings?) -> MixingSettings? {
        var result = base ?? MixingSettings()
        // For timm 0 is none.
        if let mixup { result.mixup = mixup == 0 ? nil : mixup }
        if let cutmix { result.cutmix = cutmix == 0 ? nil : cutmix }
        if let cutmixMinmax { result.cutmixMinmax = cutmixMinmax.numbers }
        if let mixupProb { result.mixupProb = mixupProb }
        if let mixupSwitchProb { result.mixupSwitchProb = mixupSwitchProb }
        if let mixupMode { result.mixupMode = mixupMode }
        if let mixupOffEpoch { result.mixupOffEpoch = mixupOffEpoch == 0 ? nil : mixupOffEpoch }
        return result == MixingSettings() ? nil : result
    }
}
