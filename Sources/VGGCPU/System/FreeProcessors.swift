import Foundation

/// How many processors a program may use.
package enum FreeProcessors {
    /// Those that the process may run on (`taskset`, a batch system's choice), or as many as the processor time that
    /// its control groups give it keeps busy (a container's `--cpus`), rounded up; at least 1.
    package static var count: Int {
        let machine = ProcessInfo.processInfo.activeProcessorCount
        #if os(Linux)
            return linux(of: machine)
        #else
            return machine
        #endif
    }

    /// What Linux says in its files.
    /// - Parameters:
    ///   - machine: how many processors there are.
    ///   - root: the folder that holds `proc` and `sys`.
    package static func linux(of machine: Int, root: String = "") -> Int {
        let quota = quota(root: root).map { Int($0.rounded(.up)) }
        return max(1, [machine, affinity(root: root), quota].compactMap { $0 }.min() ?? machine)
    }

    /// The processors that the scheduler may choose among; nil if the system does not say.
    private static func affinity(root: String) -> Int? {
        let lines = ControlGroups.text("\(root)/proc/self/status")?.split(separator: "\n") ?? []
        // A mask in hexadecimal digits, in groups between commas.
        let mask = lines.first { $0.hasPrefix("Cpus_allowed:") }?.dropFirst("Cpus_allowed:".count)
        return mask?.compactMap(\.hexDigitValue).map(\.nonzeroBitCount).reduce(0, +)
    }

    /// The seconds of processor time a second that a control group leaves the process, the least of its own and those
    /// around it; nil if there is no limit.
    private static func quota(root: String) -> Double? {
        ControlGroups.folders(of: "cpu", root: root).compactMap { folder, version in
            // In microseconds, the quota and the period it is for; without a limit `max`, or -1 in version 1.
            let numbers =
                switch version {
                case .one:
                    ["quota", "period"].flatMap { ControlGroups.numbers("\(folder)/cpu.cfs_\($0)_us") }
                case .two: ControlGroups.numbers("\(folder)/cpu.max")
                }
            guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0
            else { return nil }
            return Double(quota) / Double(period)
        }.min()
    }
}
