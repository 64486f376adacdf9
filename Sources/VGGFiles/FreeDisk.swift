import Foundation

/// How much can still be written to a disk.
package enum FreeDisk {
    /// Bytes that the disk has left for this user where `path` is, or would be made; nil if the system does not say.
    package static func bytes(at path: String) -> Int? {
        var folder = path.isEmpty ? "." : path
        while true {
            var status = statvfs()
            if folder.withSystemPath({ statvfs($0, &status) }) == 0 {
                // A file system without an end, such as those in memory may have, counts no blocks, or too many.
                let blocks = Int(clamping: status.f_bavail)
                let (bytes, isTooMany) = blocks.multipliedReportingOverflow(
                    by: Int(clamping: status.f_frsize))
                return status.f_blocks == 0 || isTooMany ? nil : bytes
            }
            guard errno == ENOENT, folder != "/", folder != "." else { return nil }
            folder = folder.parentFolder
        }
    }
}
