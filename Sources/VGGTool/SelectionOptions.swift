import ArgumentParser
import VGGKit

extension KeptWeights: ExpressibleByArgument {}

/// Which epoch a training ends with, and what it is chosen by.
struct SelectionOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Keep this share of each class's training images, such as 0.1, chosen by the seed, for validation; 0 keeps none. \
            A folder of photos without val or test is also tested on them.
            """)
    var valSplit: Double?

    @Option(
        help: """
            Which weights model.safetensors has: those of the last epoch (the default), or of the one with the best \
            accuracy in validation.
            """)
    var keep: KeptWeights?

    @Option(
        parsing: .unconditional,
        help: "Stop after N epochs without a better accuracy in validation (default: never).")
    var patience: Int?

    func apply(to configuration: inout TrainingConfiguration) {
        if let valSplit { configuration.validationSplit = valSplit == 0 ? nil : valSplit }
        if let keep { configuration.keep = keep == .last ? nil : keep }
        if let patience { configuration.patience = patience }
    }
}
