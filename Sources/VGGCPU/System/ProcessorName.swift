import Foundation

/// What the processor's maker calls it.
enum ProcessorName {
    static var text: String? {
        #if os(Linux)
            return linux()
        #else
            var bytes = [UInt8](repeating: 0, count: 256)
            var count = bytes.count - 1
            guard sysctlbyname("machdep.cpu.brand_string", &bytes, &count, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #endif
    }

    /// The `model name` of the first processor; on arm64 Linux does not know one.
    /// - Parameter root: the folder that holds `proc`.
    static func linux(root: String = "") -> String? {
        let lines = ControlGroups.text("\(root)/proc/cpuinfo")?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last?.split(separator: " ").joined(separator: " ")
    }
}
