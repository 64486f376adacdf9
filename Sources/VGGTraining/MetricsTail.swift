import Foundation
import VGGFiles
import VGGInference

/// The figures of a run, read as they come: the file is replaced as a whole whenever it grows, but what has been read of it is
/// not read again.
public struct MetricsTail: Sendable {
    private let path: String
    /// Bytes that were read: whole lines.
    private var place = 0
    /// The last of them, by which a file that has grown is known.
    private var last: [UInt8] = []
    private static let block = 1 << 20
    private static let lastCount = 4096

    /// Nothing is read yet.
    public init(of folder: RunFolder) { path = folder.metricsPath }

    /// Reads the lines that have come since; a last one without its end is not there yet, and those that cannot be understood
    /// are passed over.
    /// - Parameters:
    ///   - forget: is called before all others if the file is not what it was with something added: all of it is new then.
    ///   - visit: gets each record.
    /// - Throws: `FileError` if the file cannot be read. If there is none yet, there are no lines.
    public mutating func read(forget: () -> Void, visit: (MetricsRecord) -> Void) throws(FileError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw FileError(path, failed: "cannot be read") }
            if place > 0 { forget() }
            (place, last) = (0, [])
            return
        }
        defer { close(file) }
        if place > 0, !isContinued(file) {
            forget()
            (place, last) = (0, [])
        }
        var reader = MetricsLineReader()
        /// Bytes from `place` on that no line has ended in.
        var rest: [UInt8] = []
        while true {
            let (start, known) = (place + rest.count, rest.count)
            rest.append(contentsOf: repeatElement(0, count: Self.block))
            let count = rest.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + known }, Self.block, off_t(start))
            }
            guard count >= 0 else { throw FileError(path, failed: "cannot be read") }
            rest.removeLast(Self.block - count)
            guard count > 0 else { return }
            guard rest.count <= 16 * Self.block else {
                throw FileError(
                    path, "has a line of more than \(16 * Self.block) bytes, which no run's figures have")
            }
            guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            rest.withUnsafeBufferPointer { bytes in
                for line in bytes[...end].split(separator: UInt8(ascii: "\n")) {
                    if let record = reader.reading(UnsafeBufferPointer(rebasing: line)) { visit(record) }
                }
            }
            last = Array((last + rest[...end]).suffix(Self.lastCount))
            place += end + 1
            rest.removeSubrange(...end)
        }
    }

    /// Whether the bytes before `place` end as they did.
    private func isContinued(_ file: Int32) -> Bool {
        var now = [UInt8](repeating: 0, count: last.count)
        let count = now.withUnsafeMutableBytes {
            pread(file, $0.baseAddress, last.count, off_t(place - last.count))
        }
        return count == last.count && now == last
    }
}

/// A run that is looked at again and again.
public struct WatchedRun: Sendable {
    /// The run as it was when it was looked at last.
    public private(set) var record: RunRecord
    private var tail: MetricsTail
    private var figures = RunRecord.Figures()

    /// - Throws: what `readConfiguration` throws, or `FileError`.
    public init(_ folder: RunFolder) throws {
        tail = MetricsTail(of: folder)
        record = RunRecord(folder, try folder.readConfiguration(), figures)
        try update()
    }

    /// Reads what has changed.
    /// - Throws: as `init`.
    public mutating func update() throws {
        let folder = record.folder
        let configuration = try folder.readConfiguration()
        // Both change, or none does.
        var (tail, figures) = (tail, figures)
        try tail.read(forget: { figures = RunRecord.Figures() }, visit: { figures.add($0) })
        (self.tail, self.figures) = (tail, figures)
        record = RunRecord(folder, configuration, figures)
    }
}
