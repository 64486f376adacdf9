import VGGKit

/// Prints what a network sees in photos: results on standard output, problems and progress on standard error. In
/// JSON problems are results, too.
struct PhotoReport {
    /// A photo, or a folder of photos, that cannot be read.
    struct Problem: Encodable {
        var file: String
        var error: String
    }

    /// All there are to look at.
    let files: [String]
    let format: OutputFormat
    let top: Int
    /// Of the classes; fewer, or none, if not all have one.
    let names: [String]
    /// The views of each photo.
    let tta: String?

    private(set) var problems: [Problem] = []
    private var done = 0
    private var bar: ProgressBar?

    init(
        _ files: [String], format: OutputFormat = .text, top: Int = 0, names: [String] = [],
        tta: String? = nil
    ) {
        self.files = files
        self.format = format
        self.top = top
        self.names = names
        self.tta = tta
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

    /// - Parameter logits: `[count, classes]` of the batch's images; none if results are not printed.
    mutating func add(_ batch: LoadedBatch, logits: [Float] = []) throws {
        let classes = logits.count / (batch.images?.count ?? 1)
        var rest = logits[...]
        for example in batch.examples {
            let file = files[example]
            if let problem = batch.problems[example] {
                try fail(problem, of: file)
            } else if classes > 0 {
                var prediction = Prediction(
                    file: file, logits: Array(rest.prefix(classes)), names: names, top: top)
                prediction.tta = tta
                try prediction.show(as: format)
                rest = rest.dropFirst(classes)
            }
        }
        done += batch.examples.count
        guard bar?.isDue() == true else { return }
        let (share, figures) = (Double(done) / Double(files.count), ["\(done)/\(files.count)"])
        bar?.draw("photos", share, figures)
    }

    mutating func end() { bar?.clear() }
}
