import Foundation
import VGGFiles
import VGGInference

extension RunFolder {
    /// The lines of `metrics.jsonl` that can be understood; none if there is no such file yet.
    /// - Throws: `FileError` if the file cannot be read.
    public func readMetrics() throws -> [MetricsRecord] { try readMetricLines().records }

    /// The same, and the numbers, from 1, of the lines that cannot be understood: whoever wrote them was stopped by
    /// something worse than a signal, or a disk has lost them.
    package func readMetricLines() throws -> (records: [MetricsRecord], damaged: [Int]) {
        guard FileManager.default.fileExists(atPath: metricsPath) else { return ([], []) }
        var bytes = try WholeFile.bytes(metricsPath, atMost: 1 << 30, expecting: "a run's figures")
        var records: [MetricsRecord] = []
        var damaged: [Int] = []
        var reader = MetricsLineReader()
        // What ends the last line.
        bytes.append(UInt8(ascii: "\n"))
        bytes.withUnsafeBufferPointer { bytes in
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() where !line.isEmpty {
                if let record = reader.reading(UnsafeBufferPointer(rebasing: line)) {
                    records.append(record)
                } else {
                    damaged.append(index + 1)
                }
            }
        }
        return (records, damaged)
    }

    func write(_ metrics: [MetricsRecord]) throws {
        let text = try metrics.map { try JSONText.line($0) + "\n" }.joined()
        try AtomicFile.replace(metricsPath, with: Data(text.utf8))
    }
}
