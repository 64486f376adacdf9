import CoreMetrics
import Foundation
import Synchronization

/// Metrics in Prometheus's text format 0.0.4: a backend of swift-metrics.
///
/// Counters, meters and gauges are single numbers; timers (in seconds) and recorders are histograms.
public final class PrometheusMetrics: MetricsFactory {
    /// The upper ends of the histograms' buckets, in seconds; recorders count images and use powers of two.
    static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]
    static let counts: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256]

    struct Name: Hashable, Comparable {
        var label: String
        /// As Prometheus writes them: `model="vgg16",status="200"`.
        var dimensions: String

        static func < (one: Name, other: Name) -> Bool {
            (one.label, one.dimensions) < (other.label, other.dimensions)
        }

        func line(_ suffix: String, _ more: String = "", _ value: String) -> String {
            let all = [dimensions, more].filter { !$0.isEmpty }.joined(separator: ",")
            return "\(label)\(suffix)\(all.isEmpty ? "" : "{\(all)}") \(value)\n"
        }
    }

    private let values = Mutex<[Name: Value]>([:])

    public init() {}

    /// All metrics, a line each.
    public var text: String {
        let all = values.withLock { $0 }.sorted { $0.key < $1.key }
        var text = ""
        var last = ""
        for (name, value) in all {
            if name.label != last { text += "# TYPE \(name.label) \(value.kind)\n" }
            last = name.label
            text += value.text(name)
        }
        return text + Self.process
    }

    /// What the system knows of this process: its memory.
    private static var process: String {
        guard let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = statm.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return "" }
        let bytes = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        return "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes \(bytes)\n"
    }

    private func value(_ label: String, _ dimensions: [(String, String)], _ make: () -> Value) -> Value {
        let name = Name(
            label: label,
            dimensions: dimensions.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ","))
        return values.withLock { values in
            if let value = values[name] { return value }
            let value = make()
            values[name] = value
            return value
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        value(label, dimensions) { Value(kind: "counter") }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool)
        -> any RecorderHandler
    {
        value(label, dimensions) {
            aggregate ? Value(kind: "histogram", buckets: Self.counts) : Value(kind: "gauge")
        }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        value(label, dimensions) { Value(kind: "gauge") }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        value(label, dimensions) { Value(kind: "histogram", buckets: Self.seconds) }
    }

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// One number, or a histogram.
    private final class Value: CounterHandler, RecorderHandler, MeterHandler, TimerHandler {
        let kind: String
        private let buckets: [Double]
        private struct State {
            var sum = 0.0
            var count = 0
            /// Not above the end of each bucket.
            var counts: [Int]
        }
        private let state: Mutex<State>

        init(kind: String, buckets: [Double] = []) {
            (self.kind, self.buckets) = (kind, buckets)
            state = Mutex(State(counts: Array(repeating: 0, count: buckets.count)))
        }

        func increment(by amount: Int64) { increment(by: Double(amount)) }
        func increment(by amount: Double) { state.withLock { $0.sum += amount } }
        func decrement(by amount: Double) { state.withLock { $0.sum -= amount } }
        func set(_ value: Int64) { set(Double(value)) }
        func set(_ value: Double) { state.withLock { $0.sum = value } }
        func reset() { set(0.0) }
        func record(_ value: Int64) { record(Double(value)) }
        func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

        func record(_ value: Double) {
            guard !buckets.isEmpty else { return set(value) }
            state.withLock { state in
                state.sum += value
                state.count += 1
                for (place, end) in buckets.enumerated() where value <= end { state.counts[place] += 1 }
            }
        }

        func text(_ name: Name) -> String {
            let state = state.withLock { $0 }
            guard !buckets.isEmpty else { return name.line("", "", Self.written(state.sum)) }
            return zip(buckets, state.counts).map { end, count in
                name.line("_bucket", "le=\"\(Self.written(end))\"", "\(count)")
            }.joined() + name.line("_bucket", "le=\"+Inf\"", "\(state.count)")
                + name.line("_sum", "", Self.written(state.sum)) + name.line("_count", "", "\(state.count)")
        }

        private static func written(_ value: Double) -> String {
            Int(exactly: value).map { "\($0)" } ?? "\(value)"
        }
    }
}
