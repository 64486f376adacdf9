import VGGKit

/// Prints what a network sees in photos: results on standard output, problems and progress on standard error. In
/// JSON problems are results, too.
struct PhotoReport {
    /// A photo, or a folder of photos, that cannot be read.
    struct Problem: Encodable {
        var file: String
        var error: String

    }

    let total: Int
    let format: OutputFormat
    let top: Int
    /// Of the classes; fewer, or none, if not all have one.
    let names: [String]

    private(set) var problems: [Problem] = []
    private var done = 0
    private var bar: ProgressBar?

    init(total: Int, format: OutputFormat = .text, top: Int = 0, names: [String] = []) {
        self.total = total
        self.format = format
        self.top = top
        self.names = names
        // Results on the same terminal show the progress themselves.
        bar = Console.isTerminal && !Console.isOutputTerminal ? ProgressBar() : nil
    }

    /// - Parameter file: as the command line or the folder has it; nil for the error's own.
    mutating func fail(_ error: FileError, of file: String? = nil) throws {
        let problem = Problem(file: file ?? error.path, error: error.reason)
        problems.append(problem)
        bar?.clear()
        Console.error("error: \(error)")
        if format == .json { try Console.print(json: problem) }
    }

    /// - Parameter logits: `[batch.count, classes]`.
    mutating func add(_ batch: PhotoBatch, logits: [Float]) throws {
        let classes = logits.count / max(batch.count, 1)
        var rest = logits[...]
        for entry in batch.entries {
            if let problem = entry.problem {
                try fail(problem, of: entry.file)
            } else {
                try Prediction(file: entry.file, logits: Array(rest.prefix(classes)), names: names, top: top)
                    .show(as: format)
                rest = rest.dropFirst(classes)
            }
        }
        advance(by: batch)
    }

    /// Of photos whose results are not printed.
    mutating func add(problemsOf batch: PhotoBatch) throws {
        for entry in batch.entries {
            if let problem = entry.problem { try fail(problem, of: entry.file) }
        }
        advance(by: batch)
    }

    private mutating func advance(by batch: PhotoBatch) {
        done += batch.entries.count
        guard bar?.isDue() == true else { return }
        let share = Double(done) / Double(max(total, 1))
        let figures = ["\(done)/\(total)"]
        bar?.draw("photos", share, figures)
    }

    mutating func end() { bar?.clear() }
}
