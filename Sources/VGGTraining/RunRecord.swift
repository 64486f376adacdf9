import Foundation
import VGGFiles
import VGGInference

/// What a run trains, and how far it came: a row of a table of runs.
public struct RunRecord: Hashable, Sendable {
    /// What a run is doing, or how it ended.
    public enum State: String, Sendable, Codable {
        /// A process trains in its folder.
        case training
        /// All that was asked for is done.
        case finished
        /// Its loss was no longer finite.
        case diverged
        /// It can go on.
        case stopped
    }

    /// Where the run is.
    public let folder: RunFolder
    /// What it trains.
    public let configuration: TrainingConfiguration
    /// The epoch with the highest accuracy, in validation if there is one; nil before the first epoch's end.
    public let best: EpochMetrics?
    /// The last whole epoch; nil before its end.
    public let last: EpochMetrics?
    /// Steps done, as far as the figures have been written.
    public let steps: Int
    /// How far it is, in epochs.
    public let progress: Double
    /// The mean loss of the last figures, which may be of an epoch that has not ended; nil where there are none.
    public let trainLoss: Double?
    /// Wall-clock seconds of the run until then, or until the last figures that say; nil where there are none.
    public let seconds: Double?
    /// The numbers, from 1, of the lines of figures that cannot be understood; not known of a run that is watched.
    public let damagedLines: [Int]
    /// Whether it ended because its loss was no longer finite.
    public let diverged: Bool

    /// What is made of the lines of `metrics.jsonl`, one after the other.
    struct Figures: Sendable {
        fileprivate var best: EpochMetrics?
        fileprivate var last: EpochMetrics?
        fileprivate var record: MetricsRecord?

        mutating func add(_ record: MetricsRecord) {
            self.record = record
            guard case .epoch(let figures) = record else { return }
            last = figures
            if best.map(figures.isBetter) ?? true { best = figures }
        }
    }

    /// - Throws: what `readConfiguration` and `readMetrics` throw.
    public init(_ folder: RunFolder) throws {
        let configuration = try folder.readConfiguration()
        var figures = Figures()
        let (records, damaged) = try folder.readMetricLines()
        for record in records { figures.add(record) }
        self.init(folder, configuration, figures, damaged)
    }

    init(
        _ folder: RunFolder, _ configuration: TrainingConfiguration, _ figures: Figures,
        _ damagedLines: [Int] = []
    ) {
        (self.folder, self.configuration, self.damagedLines) = (folder, configuration, damagedLines)
        (best, last) = (figures.best, figures.last)
        steps = figures.record?.step ?? 0
        (progress, trainLoss, seconds) =
            switch figures.record {
            case .step(let step)?: (step.epochs, step.trainLoss, step.seconds ?? figures.last?.seconds)
            case .epoch(let figures)?: (Double(figures.epoch), figures.trainLoss, figures.seconds)
            case nil: (0, nil, nil)
            }
        diverged = folder.readDiagnosis() != nil
    }

    /// What it is doing at this moment.
    public var state: State {
        if folder.isInTraining { return .training }
        if diverged { return .diverged }
        let isOutOfPatience =
            if let patience = configuration.patience, let best, let last {
                last.epoch - best.epoch >= patience
            } else { false }
        let isDone =
            last.map { $0.epoch >= configuration.epochs } ?? false
            || configuration.maxSteps.map { steps >= $0 } ?? false
        return isDone || isOutOfPatience ? .finished : .stopped
    }
}

extension RunFolder {
    /// The paths of run folders below the folder, in it or one folder deeper; an empty one for itself.
    /// - Throws: `FileError` if there is no such folder.
    public static func names(in folder: String) throws(FileError) -> [String] {
        guard FileKind(at: folder) == .folder else {
            throw FileError(folder, "there is no such folder; name the one that holds the runs")
        }
        if RunFolder(folder).holdsRun { return [""] }
        func folders(in path: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
                .filter { FileKind(at: "\(path)/\($0)") == .folder }
        }
        return folders(in: folder).flatMap { name in
            RunFolder("\(folder)/\(name)").holdsRun
                ? [name]
                : folders(in: "\(folder)/\(name)").map { "\(name)/\($0)" }
                    .filter { RunFolder("\(folder)/\($0)").holdsRun }
        }
    }
}
