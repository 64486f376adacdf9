import VGGKit

/// Prints what a network sees in photos: results on standard output, problems and progress on standard error.
struct PhotoReport {
    let total: Int
    let format: OutputFormat
    let top: Int
    /// Of the classes; fewer, or none, if not all have one.
    let names: [String]

    private(set) var hasProblems = false
    private var done = 0
    private var bar: ProgressBar?

    init(total: Int, format: OutputFormat, top: Int, names: [String]) {
        self.total = total
        self.format = format
        self.top = top
        self.names = names
        // Results on the same terminal show the progress themselves.
        bar = Console.isTerminal && !Console.isOutputTerminal ? ProgressBar() : nil
    }

    mutating func fail(_ problem: FileError) {
        hasProblems = true
        bar?.clear()
        Console.error("error: \(problem)")
    }

    /// - Parameter logits: `[batch.count, classes]`.
    mutating func add(_ batch: PhotoBatch, logits: [Float]) throws {
        let classes = logits.count / max(batch.count, 1)
        var rest = logits[...]
        for entry in batch.entries {
            if let problem = entry.problem {
                fail(problem)
            } else {
                try Prediction(file: entry.file, logits: Array(rest.prefix(classes)), names: names, top: top)
                    .show(as: format)
                rest = rest.dropFirst(classes)
            }
        }
        advance(by: batch)
    }

    /// Of photos whose results are not printed.
    mutating func add(problemsOf batch: PhotoBatch) {
        for problem in batch.entries.compactMap(\.problem) { fail(problem) }
        advance(by: batch)
    }

    private mutating func advance(by batch: PhotoBatch) {
        done += batch.entries.count
        if bar?.isDue() == true {
            bar?.draw("photos", Double(done) / Double(max(total, 1)), "\(done)/\(total)")
        }
    }

    mutating func end() { bar?.clear() }
}
