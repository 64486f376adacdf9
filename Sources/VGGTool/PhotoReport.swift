import VGGKit

/// Prints what a network sees in photos: results on standard output, problems and progress on standard error. In
/// JSON problems are results, too.
struct PhotoReport {
    /// A photo, or a folder of photos, that cannot be read.
    struct Problem: Encodable {
        var file: String
        var error: String

        init(_ error: FileError) {
            file = error.path
            self.error = error.reason
        }
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

    mutating func fail(_ error: FileError) throws {
        let problem = Problem(error)
        problems.append(problem)
        bar?.clear()
        Console.error("error: \(error)")
        if format == .json { Console.print(try JSONText.line(problem)) }
    }

    /// - Parameter logits: `[batch.count, classes]`.
    mutating func add(_ batch: PhotoBatch, logits: [Float]) throws {
        let classes = logits.count / max(batch.count, 1)
        var rest = logits[...]
        for entry in batch.entries {
            if let problem = entry.problem {
                try fail(problem)
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
        for problem in batch.entries.compactMap(\.problem) { try fail(problem) }
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
