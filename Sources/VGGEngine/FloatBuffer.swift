import Foundation

/// Memory for floats that lives as long as the object: zero at first, aligned to cache lines.
final class FloatBuffer {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        // Anonymous memory is zero and costs nothing until it is touched.
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            fatalError("out of memory: \(bytes) bytes for a plan could not be reserved")
        }
        #if os(Linux)
            // Large pages: whole activations are walked through, and small ones miss the address cache.
            if bytes >= 4 << 20 { madvise(memory, bytes, MADV_HUGEPAGE) }
        #endif
        pointer = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        self.count = count
    }

    deinit { munmap(pointer, max(count, 1) * MemoryLayout<Float>.stride) }
}

extension Int {
    /// The least multiple of `unit` that is not below the number.
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
