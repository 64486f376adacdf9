import VGGDistributed
import VGGEngine
import VGGFiles
import VGGModel

/// Where the first of several processes begins, as the others get it: a checkpoint that no file holds.
struct SharedStart {
    var state: TrainingState
    var weights: [String: Tensor]
    var optimizer: OptimizerState

    init(_ state: TrainingState, _ executor: Executor) {
        (self.state, weights, optimizer) = (state, executor.weights, executor.optimizerState)
    }

    private static var groups: [WritableKeyPath<SharedStart, [String: Tensor]>] {
        [\.weights, \.optimizer.momentum, \.optimizer.secondMoment, \.optimizer.average]
    }

    /// What comes before the numbers.
    private struct Header: Codable {
        var state: TrainingState
        var updates: Int
        /// The tensors of each group in the order of their numbers.
        var groups: [[Entry]]

        struct Entry: Codable {
            var name: String
            var shape: [Int]
        }
    }

    /// The header's length in eight bytes, the header as JSON, and all numbers as they are in memory: other processes' kernels
    /// are the same.
    func bytes() throws -> [UInt8] {
        let groups = Self.groups.map { group in self[keyPath: group].sorted { $0.key < $1.key } }
        let header = Header(
            state: state, updates: optimizer.updates,
            groups: groups.map { $0.map { Header.Entry(name: $0.key, shape: $0.value.shape) } })
        let text = Array(try JSONText.line(header).utf8)
        var bytes = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
        for tensor in groups.joined() {
            tensor.value.values.withUnsafeBufferPointer { bytes += UnsafeRawBufferPointer($0) }
        }
        return bytes
    }

    /// - Throws: `DistributedError` if the bytes are no such start.
    init(bytes: [UInt8]) throws {
        let broken = DistributedError("what the first process has sent is not where a training begins")
        guard bytes.count >= 8 else { throw broken }
        let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length >= 0, length <= bytes.count - 8 else { throw broken }
        let header = try JSONText.decode(
            Header.self, from: String(decoding: bytes[8..<8 + length], as: UTF8.self))
        guard header.groups.count == Self.groups.count else { throw broken }
        state = header.state
        (weights, optimizer) = ([:], OptimizerState(updates: header.updates))
        var place = 8 + length
        for (group, entries) in zip(Self.groups, header.groups) {
            for entry in entries {
                let size = MemoryLayout<Float>.size * entry.shape.reduce(1, *)
                guard size >= 0, size <= bytes.count - place else { throw broken }
                let values = bytes[place..<place + size].withUnsafeBytes { bytes in
                    [Float](unsafeUninitializedCapacity: size / MemoryLayout<Float>.size) { values, count in
                        UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
                        count = size / MemoryLayout<Float>.size
                    }
                }
                self[keyPath: group][entry.name] = Tensor(shape: entry.shape, values: values)
                place += size
            }
        }
    }
}
