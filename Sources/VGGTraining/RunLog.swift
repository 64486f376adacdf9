import Foundation
import VGGFiles
import VGGFormats
import VGGInference

/// A form of a run's figures that other programs show, beside `metrics.jsonl`.
public enum RunLog: String, Hashable, Sendable, Codable, CaseIterable {
    /// An event file that TensorBoard shows while the run goes on: `tensorboard --logdir runs`.
    case tensorboard
    /// A table with a row an epoch.
    case csv
    /// When the parts of the first steps began and ended, for Perfetto or chrome://tracing.
    case trace
}

extension Trainer {
    /// Writes what the configuration asks for, with the figures so far.
    /// - Throws: `FileError` if a file cannot be written.
    func writeLogs(to folder: RunFolder) throws {
        let logs = configuration.log ?? []
        if logs.contains(.csv) {
            try AtomicFile.replace(folder.tablePath, with: Data(Self.table(metrics).utf8))
        }
        if logs.contains(.tensorboard) { try writeEvents(to: folder.eventsPath) }
    }

    /// Writes all figures so far. A reader keeps a file open and looks for what is added, and so one that is there stays as far
    /// as it says the same.
    private func writeEvents(to path: String) throws {
        let old =
            FileManager.default.fileExists(atPath: path)
            ? try WholeFile.bytes(path, atMost: 1 << 30, expecting: "a run's events") : []
        // As if the run had never been stopped: TensorBoard measures time from the first record.
        let began = EventFile.wallTime(ofHead: old) ?? Date().timeIntervalSince1970 - wallSeconds
        let all =
            EventFile.head(wallTime: began) + metrics.flatMap { EventFile.record($0.event(began: began)) }
        let kept = zip(old, all).lazy.prefix { $0 == $1 }.reduce(0) { count, _ in count + 1 }
        // Where there is none, or one that only its folder's owner may replace.
        if (try? Self.write(Array(all[kept...]), to: path, at: kept)) == nil {
            try AtomicFile.replace(path, with: Data(all))
        }
    }

    /// Makes bytes the end of a file that is there, after so many of its own.
    private static func write(_ bytes: [UInt8], to path: String, at place: Int) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.truncate(atOffset: UInt64(place))
        try file.write(contentsOf: bytes)
        try file.close()
    }

    private static func table(_ metrics: [MetricsRecord]) -> String {
        let epochs = metrics.compactMap { if case .epoch(let figures) = $0 { figures } else { nil } }
        var columns: [(name: String, value: (EpochMetrics) -> String)] = [
            ("epoch", { "\($0.epoch)" }), ("step", { "\($0.step)" }), ("train_loss", { "\($0.trainLoss)" }),
            ("train_acc", { "\($0.trainAcc)" }), ("test_loss", { "\($0.testLoss)" }),
            ("test_acc", { "\($0.testAcc)" }), ("examples_per_sec", { "\($0.examplesPerSec)" }),
            ("wall_examples_per_sec", { "\($0.wallExamplesPerSec)" }), ("seconds", { "\($0.seconds)" }),
        ]
        if epochs.contains(where: { $0.valAcc != nil }) {
            columns.insert(("val_loss", { $0.valLoss.map { "\($0)" } ?? "" }), at: 4)
            columns.insert(("val_acc", { $0.valAcc.map { "\($0)" } ?? "" }), at: 5)
        }
        let rows = [columns.map(\.name)] + epochs.map { figures in columns.map { $0.value(figures) } }
        return rows.map { $0.joined(separator: ",") + "\n" }.joined()
    }
}

extension MetricsRecord {
    /// The figures as TensorBoard shows them, the training's beside those of the tests.
    /// - Parameter began: when the run would have begun if it had never been stopped, in seconds since 1970.
    func event(began: Double) -> ScalarEvent {
        switch self {
        case .step(let step):
            ScalarEvent(
                wallTime: began + (step.seconds ?? 0), step: step.step,
                scalars: [("loss/train", step.trainLoss), ("accuracy/train", step.trainAcc)])
        case .epoch(let epoch):
            ScalarEvent(
                wallTime: began + epoch.seconds, step: epoch.step,
                scalars: [
                    ("loss/train", epoch.trainLoss), ("accuracy/train", epoch.trainAcc),
                    ("loss/val", epoch.valLoss), ("accuracy/val", epoch.valAcc),
                    ("loss/test", epoch.testLoss), ("accuracy/test", epoch.testAcc),
                    ("speed/examples_per_sec", epoch.examplesPerSec),
                ].compactMap { tag, value in value.map { (tag, $0) } })
        }
    }
}
