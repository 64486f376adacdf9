import VGGFiles
import VGGFormats
import VGGInference

/// What errors and endings of a training advise.
extension RunFolder {
    /// The same where the data are in another folder than the run remembers.
    func resumption(dataIn folder: String) -> String {
        guard let known = try? readConfiguration().dataDirectory, known != folder else { return resumption }
        return "\(resumption) --data-dir \(folder.shellWord)"
    }

    /// The command that starts another run from the weights of this one; nil if it has none that are whole, or if they may
    /// not fit.
    /// - Parameter changes: in which options it is to differ.
    func newRun(_ configuration: TrainingConfiguration, _ changes: [OptionConflict] = []) -> String? {
        guard (try? Safetensors(contentsOf: modelPath)) != nil,
            let options = configuration.optionsFromItsWeights(changes)
        else { return nil }
        return (["vgg train --init \(path.shellWord)"] + options).joined(separator: " ")
    }
}
