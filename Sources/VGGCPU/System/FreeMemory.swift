import Foundation

/// How much memory a program can still take.
package enum FreeMemory {
    /// The name of the environment variable that may lower, never raise, what counts as free: a number of bytes.
    package static let environmentVariable = "VGG_MAX_MEMORY"

    /// Bytes: what the machine has free, or what the limits of the process's control groups leave, or the
    /// environment variable; nil if the system does not say.
    package static var bytes: Int? {
        let wished = ProcessInfo.processInfo.environment[environmentVariable].flatMap { Int($0) }
        #if os(Linux)
            let measured = linux()
        #elseif canImport(Darwin)
            let measured = darwin()
        #else
            let measured: Int? = nil
        #endif
        return [measured, wished].compactMap { $0 }.min()
    }

    #if canImport(Darwin)
        /// What the kernel's statistics count as free, or as memory of files and such that is given back when it is needed.
        private static func darwin() -> Int? {
            var statistics = vm_statistics64()
            let words = MemoryLayout<vm_statistics64>.size / MemoryLayout<integer_t>.size
            var count = mach_msg_type_number_t(words)
            let result = withUnsafeMutablePointer(to: &statistics) { statistics in
                statistics.withMemoryRebound(to: integer_t.self, capacity: words) {
                    host_statistics64(mach_host_self(), HOST_VM_INFO64, $0, &count)
                }
            }
            guard result == KERN_SUCCESS else { return nil }
            let pages = [statistics.free_count, statistics.inactive_count, statistics.purgeable_count]
            return pages.reduce(0) { $0 + Int($1) } * Int(getpagesize())
        }
    #endif

    /// What Linux says in its files: `MemAvailable`, which counts what the page cache can give back, and the
    /// limits of control groups, version 1 and 2.
    /// - Parameter root: the folder that holds `proc` and `sys`.
    package static func linux(root: String = "") -> Int? {
        let lines = ControlGroups.text("\(root)/proc/meminfo")?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("MemAvailable:") }
        // In units of 1024 bytes, whatever the machine.
        let words = line?.split(separator: " ").map(String.init) ?? []
        let available = words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
        let groups = ControlGroups.folders(of: "memory", root: root).map { folder, version in
            (version == .one ? Files.version1 : Files.version2).free(in: folder)
        }
        return ([available] + groups).compactMap { $0 }.min()
    }

    /// The names that a version of control groups gives its files.
    private struct Files {
        let limit, usage: String
        /// Of the memory of files, which is given back when it is needed, in `memory.stat`.
        let cache: [String]

        static let version1 = Files(
            limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
            cache: ["total_active_file", "total_inactive_file"])
        static let version2 = Files(
            limit: "memory.max", usage: "memory.current", cache: ["active_file", "inactive_file"])

        /// What the group leaves; nil if it has no limit.
        func free(in folder: String) -> Int? {
            guard let limit = ControlGroups.numbers("\(folder)/\(limit)").first ?? nil,
                let usage = ControlGroups.numbers("\(folder)/\(usage)").first ?? nil
            else { return nil }
            var reclaimable = 0
            for line in ControlGroups.text("\(folder)/memory.stat")?.split(separator: "\n") ?? [] {
                let words = line.split(separator: " ").map(String.init)
                if words.count == 2, cache.contains(words[0]) { reclaimable += Int(words[1]) ?? 0 }
            }
            return max(0, limit - max(0, usage - reclaimable))
        }
    }
}
