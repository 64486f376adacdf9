import Foundation
import VGGEngine
import VGGFiles
import VGGInference

/// The first steps of a training, part by part, in the form that tracing programs read (the Trace Event Format of Chromium).
struct StepTrace {
    /// Enough to see what is usual, and a file of a few hundred kilobytes.
    private static let steps = 20

    private let timeline = Timeline()
    private var steps = 0

    /// - Returns: nil where nobody wants it: the first process's trainer alone writes, and a run that goes on keeps the trace
    ///   that it has.
    init?(_ configuration: TrainingConfiguration, _ folder: RunFolder?) {
        guard let folder, configuration.log?.contains(.trace) == true,
            FileKind(at: folder.tracePath) != .file
        else { return nil }
    }

    /// Begins to write down what executor and processes do.
    func begin(_ executor: Executor, _ sharing: Sharing?) {
        executor.write(to: timeline)
        sharing?.write(to: timeline)
    }

    /// Notes that a step is done.
    /// - Returns: whether it was the last that is written down.
    mutating func stepIsDone() -> Bool {
        steps += 1
        return steps == Self.steps
    }

    /// Ends that, and writes the file if there was a step.
    /// - Throws: `FileError` if it cannot be written.
    func end(_ executor: Executor, _ sharing: Sharing?, in folder: RunFolder) throws {
        executor.write(to: nil)
        sharing?.write(to: nil)
        guard steps > 0 else { return }
        let names = Timeline.Lane.allCases.map { lane in
            Event(
                name: "thread_name", ph: "M", tid: lane.rawValue, args: ["name": "\(lane)"])
        }
        let spans = timeline.spans.map { span in
            Event(
                name: span.name, ph: "X", ts: 1e6 * span.begin, dur: 1e6 * span.seconds,
                tid: span.lane.rawValue)
        }
        // The format's names are not ours.
        let text = try JSONEncoder().encode(Trace(traceEvents: names + spans))
        try AtomicFile.replace(folder.tracePath, with: text)
    }

    private struct Trace: Encodable {
        var traceEvents: [Event]
    }

    /// In the format's own names; times are in microseconds.
    private struct Event: Encodable {
        var name: String
        var ph: String
        var ts: Double?
        var dur: Double?
        var pid = 0
        var tid: Int
        var args: [String: String]?
    }
}
