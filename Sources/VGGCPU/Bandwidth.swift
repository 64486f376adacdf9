import Foundation
import VGGEngine

extension CPUBackend {
    /// Bytes a second that the device's threads copy between two pieces of memory that are too large for caches, read and
    /// written ones together: the best of several trials, together below a second. 0 where there is no memory for it.
    package func measuredBandwidth() -> Double {
        let bytes = min(1 << 28, (freeMemory ?? .max) / 8)
        guard let source = try? Buffer(bytes: bytes), let target = try? Buffer(bytes: bytes) else { return 0 }
        let workers = Workers(threads: threads)
        // Pages that were never written are all one page of zeros, which a cache holds.
        memset(source.memory, 1, bytes)
        let clock = ContinuousClock()
        let trials = (0..<5).map { _ in
            clock.measure {
                workers.run(over: bytes, grain: 4096) { range, _ in
                    memcpy(
                        target.memory + range.lowerBound, source.memory + range.lowerBound, range.count)
                }
            }
        }
        return trials.min().map { 2 * Double(bytes) / ($0 / .seconds(1)) } ?? 0
    }
}
