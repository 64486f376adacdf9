import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel

/// How far a training is: with the weights and what the optimiser keeps, all it takes to go on as if never stopped.
struct TrainingState: Hashable, Codable {
    /// Whole epochs done, their test included.
    var epoch = 0
    /// Steps done in the unfinished epoch.
    var stepInEpoch = 0
    /// Steps done over the whole run.
    var step = 0
    /// Updates of the weights; nil where there was one a step.
    var updates: Int?
    /// Sums over the unfinished epoch's examples.
    var lossSum = 0.0
    var correct = 0
    var count = 0
    /// Training examples seen over the whole run.
    var examples = 0
    /// Seconds of forward, backward and update over the whole run.
    var computeSeconds = 0.0
    /// Wall-clock seconds over the whole run.
    var wallSeconds = 0.0
    /// The examples of an epoch; another number would mean other data.
    var trainExamples: Int
    /// The rate of a schedule that has a memory.
    var plateau: PlateauRate?
    /// The head's, where it has a rate of its own.
    var headPlateau: PlateauRate?
    /// The last whole epoch's figures.
    var lastEpoch: EpochMetrics?
    /// The best epoch's figures, where epochs are compared.
    var best: EpochMetrics?
    /// The layer that was not taken from the weights that the run started from; nil if all were.
    var newHead: NewHead?
    /// The version of the program that wrote the state.
    var version = vggVersion

    init(trainExamples: Int) { self.trainExamples = trainExamples }
}

/// The file `checkpoint.safetensors`: the weights of the model under their own names, what the optimiser keeps of each
/// parameter under its kind's prefix, and the state as JSON in the metadata under `vgg.state`. Where the model is an
/// average, the weights that are trained have a prefix too.
struct Checkpoint {
    var state: TrainingState
    /// As they are trained.
    var weights: [String: Tensor]
    var optimizer: OptimizerState

    init(state: TrainingState, weights: [String: Tensor], optimizer: OptimizerState) {
        self.state = state
        self.weights = weights
        self.optimizer = optimizer
        self.state.updates = optimizer.updates
    }

    /// The weights that are tested and used: the average of those that are trained, if there is one.
    var model: [String: Tensor] { optimizer.average.isEmpty ? weights : optimizer.average }

    /// - Throws: `FileError` or `SafetensorsError` if the file cannot be read, is damaged or is not a checkpoint.
    init(contentsOf path: String) throws {
        let file = try Safetensors(contentsOf: path)
        guard let text = file.metadata[CheckpointNames.state],
            let state = try? JSONText.decode(TrainingState.self, from: text)
        else { throw FileError(path, "is not a checkpoint that this version can go on from") }
        var groups: [CheckpointNames.Prefix?: [String: Tensor]] = [:]
        for (name, tensor) in file.tensors {
            let prefix = CheckpointNames.Prefix.allCases.first { name.hasPrefix($0.rawValue) }
            groups[prefix, default: [:]][String(name.dropFirst(prefix?.rawValue.count ?? 0))] = tensor
        }
        let (model, trained) = (groups[nil] ?? [:], groups[.trained])
        self.init(
            state: state, weights: trained ?? model,
            optimizer: OptimizerState(
                updates: state.updates ?? state.step, momentum: groups[.momentum] ?? [:],
                secondMoment: groups[.secondMoment] ?? [:], average: trained == nil ? [:] : model))
    }

    /// - Throws: `FileError` if the file cannot be written; the old one then stays.
    func write(to path: String, model stored: StoredModel) throws {
        var file = Safetensors(tensors: NamedTensors(sorting: model), metadata: try stored.metadata)
        file.metadata[CheckpointNames.state] = try JSONText.line(state)
        let groups: [CheckpointNames.Prefix: [String: Tensor]] = [
            .momentum: optimizer.momentum, .secondMoment: optimizer.secondMoment,
            .trained: optimizer.average.isEmpty ? [:] : weights,
        ]
        for (prefix, tensors) in groups {
            for (name, tensor) in tensors { file.tensors[prefix.rawValue + name] = tensor }
        }
        try file.write(to: path, checksummed: true)
    }
}
