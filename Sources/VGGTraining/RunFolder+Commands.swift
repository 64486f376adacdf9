import VGGFiles
import VGGFormats
import VGGInference
import VGGModel

/// What errors and endings of a training advise.
extension RunFolder {
    /// The same where the data are in another folder than the run remembers.
    func resumption(dataIn folder: String) -> String {
        guard let known = try? readConfiguration().dataDirectory, known != folder else { return resumption }
        return "\(resumption) \(Setting.dataDirectory) \(folder.shellWord)"
    }

    /// Whether the weights could be tested after the last epoch that is saved: what is finite may overflow all the same.
    var lastTestIsFinite: Bool {
        let records = (try? readMetricLines().records) ?? []
        for case .epoch(let figures) in records.reversed() { return figures.testLoss.isFinite }
        return true
    }

    /// The command that starts another run from the weights of this one; nil if it has none that are whole, or if they may
    /// not fit.
    /// - Parameters:
    ///   - changes: in which options it is to differ.
    ///   - dataDirectory: where other data are; nil, or that of the run, for nowhere in particular.
    func newRun(
        _ configuration: TrainingConfiguration, _ changes: [SettingConflict] = [],
        dataIn dataDirectory: String? = nil
    ) -> String? {
        guard (try? Safetensors(contentsOf: modelPath)) != nil,
            let options = configuration.settingsFromItsWeights(changes, dataIn: dataDirectory)
        else { return nil }
        return (["vgg train \(Setting.initialWeights) \(path.shellWord)"] + options).joined(separator: " ")
    }
}
