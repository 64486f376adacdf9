import VGGKit

extension Setting {
    /// The option of the command line.
    var option: String {
        switch self {
        case .learningRate: "--lr"
        case .headLearningRate: "--lr-head"
        case .dataDirectory: "--data-dir"
        case .validationSplit: "--val-split"
        case .initialWeights: "--init"
        case .initialization: "--weight-init"
        case .folder: "--run-dir"
        case .resuming: "--resume"
        default: rawValue.reduce(into: "--") { $0 += $1.isUppercase ? "-\($1.lowercased())" : "\($1)" }
        }
    }

    /// A text of the libraries' with the options in place of the settings.
    static func spelledAsOptions(_ text: String) -> String {
        guard text.contains("`") else { return text }
        return allCases.reduce(text) { $0.replacing($1.description, with: $1.option) }
    }
}
