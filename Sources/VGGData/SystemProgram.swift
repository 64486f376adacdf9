import Foundation
import VGGFiles

/// Programs of the system's that are started here, found as a shell finds them.
enum SystemProgram {
    /// The folders of `PATH`, or where that is not set the ones that shells then take.
    static var folders: [String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map(String.init)
    }

    /// Where the program is; nil if no folder has it.
    static func path(of name: String, in folders: [String] = SystemProgram.folders) -> String? {
        folders.lazy.map { "\($0)/\(name)" }.first {
            FileKind(at: $0) == .file && FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
