import Foundation

/// The control groups that Linux has put the process into, as containers and batch systems do: what limits them.
enum ControlGroups {
    enum Version { case one, two }

    /// The folders of the process's group of a controller, and of the groups around it, outermost first, with the
    /// version whose files they have. Not all of them need be there.
    /// - Parameters:
    ///   - controller: `memory` or `cpu`.
    ///   - root: the folder that holds `proc` and `sys`.
    static func folders(of controller: String, root: String) -> [(path: String, version: Version)] {
        let groups = text("\(root)/proc/self/cgroup")?.split(separator: "\n") ?? []
        return groups.flatMap { line -> [(String, Version)] in
            // A number, the controllers and the group's path; version 2 has no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            let (mount, version): (String, Version)
            if parts[1].isEmpty {
                (mount, version) = ("/sys/fs/cgroup", .two)
            } else if parts[1].split(separator: ",").contains(Substring(controller)) {
                // Controllers that are mounted together also have links under their own names.
                (mount, version) = ("/sys/fs/cgroup/\(controller)", .one)
            } else {
                return []
            }
            // In a container the path may be that of the machine outside, and only its beginning exist here.
            let names = parts[2].split(separator: "/").map(String.init)
            return (0...names.count).map { count in
                (root + mount + names.prefix(count).map { "/\($0)" }.joined(), version)
            }
        }
    }

    /// The whole text of one of the system's files; nil if it is not there.
    static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// The numbers in one of the system's files; words are nil.
    static func numbers(_ path: String) -> [Int?] {
        text(path)?.split(whereSeparator: \.isWhitespace).map { Int($0) } ?? []
    }
}
