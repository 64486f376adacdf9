import Foundation
import VGGEngine

/// Memory that lives as long as the object: zero at first, aligned to pages.
final class Buffer {
    let memory: Memory
    private let byteCount: Int

    /// - Throws: `PlanError.outOfMemory`.
    init(bytes: Int) throws(PlanError) {
        byteCount = max(bytes, 1)
        // Anonymous memory is zero and costs nothing until it is touched.
        let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw .outOfMemory(bytes: bytes)
        }
        #if os(Linux)
            // Large pages: whole activations are walked through, and small ones miss the address cache.
            if bytes >= 4 << 20 { madvise(memory, byteCount, MADV_HUGEPAGE) }
        #endif
        self.memory = memory
    }

    convenience init(floats: Int) throws(PlanError) {
        try self.init(bytes: floats * MemoryLayout<Float>.stride)
    }

    /// The memory as 32-bit floats.
    var floats: Floats { memory.assumingMemoryBound(to: Float.self) }

    deinit { munmap(memory, byteCount) }
}

extension Int {
    /// The least multiple of `unit` that is not below the number.
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
