import VGGFiles
import VGGInference
import VGGModel

/// Why a training cannot start, go on, or be used.
public enum TrainingError: Error, Hashable, CustomStringConvertible {
    /// A setting has a value that makes no sense, or none beside the others.
    case invalidSetting(Setting, reason: String)
    /// The folder already holds a run, and a new one would overwrite it.
    case runExists(folder: String)
    /// The run was saved, but its checkpoint is gone; `newRun` is the command that starts another from its weights.
    case noCheckpoint(path: String, newRun: String?)
    /// A resumed run has already done more epochs or steps than the setting allows.
    case tooShort(setting: Setting, done: Int)
    /// Another process is training in the folder.
    case runInUse(folder: String)
    /// The settings given with a resumed run are not the ones it was started with; `newRun` is the command that starts
    /// another from its weights, if there are any.
    case conflictingSettings(folder: String, [SettingConflict], newRun: String?)
    /// The data do not fit the model.
    case dataMismatch(data: String, reason: String)
    /// The loss became infinite or not a number; the last good checkpoint is kept.
    case diverged(Diagnosis)

    public var description: String {
        switch self {
        case .invalidSetting(let setting, let reason): return "\(setting) \(reason)"
        case .runExists(let folder):
            return
                "\(folder) already holds a run; go on with \(RunFolder(folder).resumption), or choose another \(Setting.folder)"
        case .noCheckpoint(let path, let newRun):
            return
                "\(path): the checkpoint is missing; restore it, or start a new run\(newRun.map { ": \($0)" } ?? "")"
        case .tooShort(let setting, let done):
            let unit = setting == .epochs ? "epoch" : "step"
            return
                "the run has done \(done) \(unit)\(done == 1 ? "" : "s"): \(setting) must be at least \(done)"
        case .runInUse(let folder): return "\(folder) is in use: another process is training there"
        case .conflictingSettings(let folder, let conflicts, let newRun):
            let list = conflicts.map { "\($0.setting) is \($0.stored) there, not \($0.given)" }
            return "\(folder) was started with other options: \(list.joined(separator: "; ")); "
                + "leave them out, or start a new run\(newRun.map { " from its weights: \($0)" } ?? "")"
        case .dataMismatch(let data, let reason): return "the data set \(data) does not fit: \(reason)"
        case .diverged(let diagnosis): return diagnosis.description
        }
    }
}
