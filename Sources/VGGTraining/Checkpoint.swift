import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel

/// How far a training is: with the weights and the momentum, all it takes to go on as if never stopped.
struct TrainingState: Hashable, Codable {
    /// Whole epochs done, their test included.
    var epoch = 0
    /// Steps done in the unfinished epoch.
    var stepInEpoch = 0
    /// Steps done over the whole run.
    var step = 0
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

/// The file `checkpoint.safetensors`: weights under their own names, momentum buffers under
/// `momentum.<name>`, and the state as JSON in the metadata under `vgg.state`.
struct Checkpoint {
    var state: TrainingState
    var weights: [String: Tensor]
    var momentum: [String: Tensor]

    init(state: TrainingState, weights: [String: Tensor], momentum: [String: Tensor]) {
        self.state = state
        self.weights = weights
        self.momentum = momentum
    }

    /// - Throws: `FileError` or `SafetensorsError` if the file cannot be read, is damaged or is not a checkpoint.
    init(contentsOf path: String) throws {
        let file = try Safetensors(contentsOf: path)
        guard let text = file.metadata[CheckpointNames.state],
            let state = try? JSONText.decode(TrainingState.self, from: text)
        else { throw FileError(path, "is not a checkpoint that this version can go on from") }
        self.init(state: state, weights: [:], momentum: [:])
        for (name, tensor) in file.tensors {
            if name.hasPrefix(CheckpointNames.momentumPrefix) {
                momentum[String(name.dropFirst(CheckpointNames.momentumPrefix.count))] = tensor
            } else {
                weights[name] = tensor
            }
        }
    }

    /// - Throws: `FileError` if the file cannot be written; the old one then stays.
    func write(to path: String, model: StoredModel) throws {
        var file = Safetensors(tensors: NamedTensors(sorting: weights), metadata: try model.metadata)
        file.metadata[CheckpointNames.state] = try JSONText.line(state)
        for (name, tensor) in momentum { file.tensors[CheckpointNames.momentumPrefix + name] = tensor }
        try file.write(to: path, checksummed: true)
    }
}
