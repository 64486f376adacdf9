import Foundation
import VGGFiles
import VGGInference
import VGGModel
import VGGPictures
import VGGTraining

/// The runs of a folder. Of each only what is new is read, and only when its files have changed.
struct RunsShelf {
    private let folder: String
    private var runs: [String: (stamp: [Int], run: WatchedRun)] = [:]
    private var curves: [String: (stamp: [Int], curves: RunCurves)] = [:]
    /// Those whose curves were read last, the latest at the end.
    private var used: [String] = []
    /// Why runs cannot be read.
    private var problems: [String] = []
    private var differences: [(setting: Setting, values: [String])]?
    private var refreshed: ContinuousClock.Instant?
    /// Points of curves that are kept: 16 bytes each.
    private static let maxPoints = 4 << 20

    init(_ folder: String) { self.folder = folder }

    /// The run of a name that `table` has; nothing else leads to a path.
    /// - Throws: `APIError` if there is none.
    mutating func run(_ name: String) throws -> RunRecord {
        try refresh()
        guard let record = runs[name]?.run.record else { throw APIError(.notFound, "there is no such run") }
        return record
    }

    /// What is shown of all runs.
    mutating func table() throws -> JSON {
        try refresh()
        let names = runs.keys.sorted()
        let all = names.compactMap { runs[$0]?.run.record }
        let differences = differences ?? TrainingConfiguration.differences(among: all.map(\.configuration))
        self.differences = differences
        let rows = all.enumerated().map { place, record -> JSON in
            var row: [String: JSON] = [
                "name": .string(names[place]), "state": .string(record.state.rawValue),
                "network": .string(record.configuration.model.name),
                "data": .string(record.configuration.data),
                "epochs": .number(Double(record.configuration.epochs)), "progress": .number(record.progress),
                "values": .array(differences.map { .string($0.values[place]) }),
                "has_model": .bool(FileManager.default.fileExists(atPath: record.folder.modelPath)),
            ]
            row["best"] = record.best.map(Self.figures)
            row["last"] = record.last.map(Self.figures)
            return .object(row)
        }
        return [
            "settings": .array(differences.map { .string($0.setting.rawValue) }), "runs": .array(rows),
            "problems": .array(problems.map(JSON.string)),
        ]
    }

    private static func figures(_ epoch: EpochMetrics) -> JSON {
        var figures: [String: JSON] = [
            "epoch": .number(Double(epoch.epoch)), "train_loss": .number(epoch.trainLoss),
            "train_acc": .number(epoch.trainAcc), "test_loss": .number(epoch.testLoss),
            "test_acc": .number(epoch.testAcc), "seconds": .number(epoch.seconds),
        ]
        figures["val_acc"] = epoch.valAcc.map(JSON.number)
        return .object(figures)
    }

    /// When a run's figures were written, as numbers that change with them.
    mutating func stamp(_ name: String) throws -> [Int] { Self.stamp(try run(name).folder.metricsPath) }

    /// The curves of a run.
    mutating func curves(of name: String) throws -> RunCurves {
        let folder = try run(name).folder
        let stamp = Self.stamp(folder.metricsPath)
        used.removeAll { $0 == name }
        used.append(name)
        if let kept = curves[name], kept.stamp == stamp { return kept.curves }
        // Taken out, so that nobody else holds its points while they become more.
        var own = curves.removeValue(forKey: name)?.curves ?? RunCurves(of: folder)
        try own.update()
        curves[name] = (stamp, own)
        while used.count > 1, curves.values.reduce(0, { $0 + $1.curves.count }) > Self.maxPoints {
            curves[used.removeFirst()] = nil
        }
        return own
    }

    /// Reads what is new; not more often than anybody sees.
    private mutating func refresh() throws {
        guard refreshed.map({ .now - $0 > .milliseconds(400) }) ?? true else { return }
        refreshed = .now
        problems = []
        // A folder that is not there yet has no runs yet.
        let names = FileManager.default.fileExists(atPath: folder) ? try RunFolder.names(in: folder) : []
        var found: Set<String> = []
        for name in names {
            let run = RunFolder(name.isEmpty ? folder : "\(folder)/\(name)")
            let shown = name.isEmpty ? (folder as NSString).lastPathComponent : name
            found.insert(shown)
            let stamp = [run.configurationPath, run.metricsPath, run.diagnosisPath].flatMap(Self.stamp)
            if runs[shown]?.stamp == stamp { continue }
            differences = nil
            do {
                if var known = runs[shown]?.run {
                    try known.update()
                    runs[shown] = (stamp, known)
                } else {
                    runs[shown] = (stamp, try WatchedRun(run))
                }
            } catch {
                runs[shown] = nil
                problems.append("\(error)")
            }
        }
        if runs.keys.contains(where: { !found.contains($0) }) {
            differences = nil
            runs = runs.filter { found.contains($0.key) }
        }
    }

    /// Files are replaced as a whole, so that each version has a number of its own.
    private static func stamp(_ path: String) -> [Int] {
        var status = stat()
        guard stat(path, &status) == 0 else { return [] }
        #if os(macOS)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return [Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), time.tv_sec, time.tv_nsec]
    }
}

/// The figures of a run over its epochs.
struct RunCurves {
    private var series: [String: LineChart.Series] = [:]
    private var tail: MetricsTail

    var count: Int { series.values.reduce(0) { $0 + $1.points.count } }

    init(of folder: RunFolder) { tail = MetricsTail(of: folder) }

    /// Reads what is new.
    /// - Throws: `FileError` if the figures cannot be read.
    mutating func update() throws {
        var series = series
        self.series = [:]
        try tail.read(forget: { series = [:] }, visit: { Self.add($0, to: &series) })
        self.series = series
    }

    private static func add(_ record: MetricsRecord, to series: inout [String: LineChart.Series]) {
        func add(_ name: String, _ x: Double, _ y: Double?) {
            guard let y else { return }
            series[name, default: LineChart.Series(name, colour: .black)].points.append(LineChart.Point(x, y))
        }
        switch record {
        case .step(let step):
            add("train_loss", step.epochs, step.trainLoss)
            add("train_acc", step.epochs, step.trainAcc)
        case .epoch(let epoch):
            let x = Double(epoch.epoch)
            add("train_loss", x, epoch.trainLoss)
            add("train_acc", x, epoch.trainAcc)
            add("val_loss", x, epoch.valLoss)
            add("val_acc", x, epoch.valAcc)
            add("test_loss", x, epoch.testLoss)
            add("test_acc", x, epoch.testAcc)
        }
    }

    /// What a screen shows of them: an object of flat lists x, y, x, y …
    func json(columns: Int, smoothing: Double) -> JSON {
        let end = series.values.compactMap { $0.points.last?.x }.max() ?? 0
        return .object(
            series.mapValues { series in
                let shown = series.smoothed(smoothing).thinned(to: columns, over: 0...max(end, 1))
                let numbers = shown.points.flatMap { [$0.x, $0.y] }
                return numbers.isEmpty ? [] : .numbers(numbers)
            })
    }
}
