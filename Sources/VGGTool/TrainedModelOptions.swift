import ArgumentParser
import VGGKit

/// A trained network and the data to try it on.
struct TrainedModelOptions: ParsableArguments {
    @Argument(help: "A run folder, or a safetensors file with torchvision's names.")
    var runOrWeights: String

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var model: ModelOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var data: DataOptions

    @Option(
        help: """
            The number format of the network's arithmetic: fp32, bf16 (mixed precision), or auto, which is bf16 \
            where the processor has it (default: what the run, or the file, says, else auto).
            """)
    var precision: PrecisionChoice?

    func validate() throws {
        guard data.size ?? 1 >= 1 else {
            throw ValidationError("--size must be at least 1, not \(data.size ?? 0)")
        }
    }

    /// The weights, their network and the data, each from the options or else from what was stored.
    func load() throws -> (model: TrainedModel, network: Network, size: Int, data: DatasetSplits) {
        let trained = try TrainedModel(runOrWeights: runOrWeights)
        let specification = specification(of: trained)
        let size = data.size ?? trained.stored?.size ?? 224
        let network = try specification.network(size: size)
        let name = data.data ?? trained.stored?.data ?? TrainingConfiguration().data
        // A folder that a run remembers is that of its own data set.
        let remembered = name == trained.stored?.data ? trained.dataDirectory : nil
        let splits = try Datasets.load(name, from: data.dataDir ?? remembered)
        try specification.check(splits.test)
        warnIfEmulated(trained)
        return (trained, network, size, splits)
    }

    /// The architecture of the weights, from the options or else from what was stored.
    func specification(of trained: TrainedModel) -> ModelSpecification {
        model.applied(to: trained.stored?.model ?? ModelSpecification())
    }

    func warnIfEmulated(_ trained: TrainedModel) {
        (precision?.resolved ?? trained.stored?.precision)?.warnIfEmulated()
    }
}
