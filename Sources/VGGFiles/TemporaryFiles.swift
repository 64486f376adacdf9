import Foundation
import Synchronization

/// The temporary files and folders that there are now, for a program that a signal ends: it removes them.
package enum TemporaryFiles {
    private static let paths = Mutex<Set<String>>([])

    package static func add(_ path: String) { _ = paths.withLock { $0.insert(path) } }

    package static func remove(_ path: String) { _ = paths.withLock { $0.remove(path) } }

    /// Removes them all, and makes whoever would add another one wait for the end of the program.
    package static func removeAll(_ end: () -> Never) -> Never {
        paths.withLock { paths in
            for path in paths { try? FileManager.default.removeItem(atPath: path) }
            end()
        }
    }
}
