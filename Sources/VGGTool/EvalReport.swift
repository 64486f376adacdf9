import Foundation
import VGGKit

/// What `vgg eval --report` says beside loss and accuracy: its JSON, its lines and its pictures.
struct EvalReport: Encodable {
    struct Class: Encodable {
        var name: String
        var scores: ClassScores

        private enum CodingKeys: CodingKey { case name }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try scores.encode(to: encoder)
        }
    }

    struct Mistake: Encodable {
        /// The photo's path below the folder of the data; of data in memory nil.
        var file: String?
        /// The image's number; of photos nil.
        var index: Int?
        var actual: String
        var prediction: String
        var probability: Double
        /// What the network gave the class that it is of.
        var actualProbability: Double
    }

    /// nil where there are no more than five classes.
    var topFiveAccuracy: Double?
    var classes: [Class]
    var macroAverage: ClassScores
    var weightedAverage: ClassScores
    /// [actual][prediction]
    var confusion: [[Int]]
    /// The worst first.
    var mistakes: [Mistake]
    /// The classes that were mistaken most often, in words.
    private var pairs: [String] = []

    private enum CodingKeys: CodingKey {
        case topFiveAccuracy, classes, macroAverage, weightedAverage, confusion, mistakes
    }

    private static let most = 36

    /// - Parameter names: of the classes; fewer, or none, if not all have one.
    init(_ report: EvaluationReport, names: [String], of test: ImageDataset) {
        func name(_ number: Int) -> String { number < names.count ? names[number] : "\(number)" }
        let confusion = report.confusion
        topFiveAccuracy = report.topFiveAccuracy
        classes = confusion.scores.enumerated().map { Class(name: name($0), scores: $1) }
        (macroAverage, weightedAverage) = (confusion.macroAverage, confusion.weightedAverage)
        self.confusion = confusion.rows
        let photos = test.photoNames
        mistakes = report.worstMistakes(Self.most).map { mistake in
            Mistake(
                file: test.hasPhotos ? photos[mistake.example] : nil,
                index: test.hasPhotos ? nil : mistake.example, actual: name(mistake.actual),
                prediction: name(mistake.guess), probability: mistake.probability,
                actualProbability: mistake.actualProbability)
        }
        pairs = confusion.mistakes(most: 5).map { "\(name($0.actual)) for \(name($0.guess)) (\($0.count))" }
    }

    /// - Throws: `FileError` if there can be no such folder.
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError(path, "cannot be made a folder; name another one by --report")
        }
        for name in ["confusion.png", "mistakes.png", "report.json"] {
            try AtomicFile.checkReplaceable("\(path)/\(name)")
        }
    }

    /// Draws the pictures. Where nothing was mistaken there is no sheet, and an older one would mislead.
    func draw(_ report: EvaluationReport, _ test: ImageDataset, into folder: String) throws {
        let chart = ConfusionChart(
            title: "\(test.name), \(ReadableNumber.grouped(report.confusion.total)) images",
            names: classes.map(\.name),
            counts: confusion)
        try AtomicFile.replace("\(folder)/confusion.png", with: chart.png())
        let sheet = "\(folder)/mistakes.png"
        guard !mistakes.isEmpty else {
            unlink(sheet)
            return
        }
        let small = Preparation(try .plain(112))
        let items = try zip(report.worstMistakes(Self.most), mistakes).map { place, mistake in
            let whole = try test.images.pixels(at: place.example)
            let pixels = test.hasPhotos ? small.framed(whole) : whole
            let title = mistake.file.map { String($0.split(separator: "/").last ?? "") } ?? "\(place.example)"
            return ContactSheet.Item(
                pixels: Array(pixels.bytes), width: pixels.width, height: pixels.height,
                channels: pixels.channels,
                caption:
                    "\(title)\nis \(mistake.actual)\nseen \(mistake.prediction) \(Self.percent(mistake.probability))"
            )
        }
        let scale = max(1, 112 / (items.first?.width ?? 112))
        try AtomicFile.replace(sheet, with: ContactSheet(items, columns: 6, scale: scale).png())
    }

    private static func percent(_ share: Double) -> String { "\(Text.fixed(100 * share, 0)) %" }

    /// Prints the figures of the classes, of many those of the worst ones.
    func show(in folder: String) throws {
        if let topFiveAccuracy { try Console.print("top-5 accuracy \(Text.fixed(topFiveAccuracy, 3))") }
        let most = 40
        let shown =
            classes.count <= most
            ? classes
            : Array(
                classes.filter { $0.scores.support > 0 }.sorted { $0.scores.f1Score < $1.scores.f1Score }
                    .prefix(most / 2))
        func row(_ name: String, _ scores: ClassScores) -> [String] {
            [name] + [scores.precision, scores.recall, scores.f1Score].map { Text.fixed($0, 3) }
                + [ReadableNumber.grouped(scores.support)]
        }
        let table =
            [["class", "precision", "recall", "f1-score", "images"]]
            + shown.map { row($0.name, $0.scores) }
            + [row("macro average", macroAverage), row("weighted average", weightedAverage)]
        try Console.print("")
        if shown.count < classes.count {
            try Console.print(
                "the \(shown.count) classes that are told worst (report.json has all \(classes.count)):")
        }
        for line in Text.table(table, leftColumns: 1, width: Console.outputColumns) {
            try Console.print(line)
        }
        try Console.print("")
        if !pairs.isEmpty { try Console.print("taken most often: \(pairs.joined(separator: ", "))") }
        try Console.print("confusion matrix: \(folder)/confusion.png")
        if !mistakes.isEmpty { try Console.print("worst mistakes: \(folder)/mistakes.png") }
        try Console.print("all figures: \(folder)/report.json")
    }
}
