import Foundation
import VGGKit

/// The photos that a command line names.
struct PhotoList {
    /// In the order of the arguments; those of a folder as `PhotoLoader.photos(in:)` has them.
    private(set) var files: [String] = []
    /// Folders that cannot be read, or hold no photos.
    private(set) var problems: [FileError] = []

    /// - Parameter arguments: files, folders, or `-`. Whether a file is there is found out when it is read.
    init(_ arguments: [String]) {
        for argument in arguments {
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory)
            guard argument != PhotoLoader.standardInput, exists, isDirectory.boolValue else {
                files.append(argument)
                continue
            }
            do throws(FileError) {
                let found = try PhotoLoader.photos(in: argument)
                files += found
                guard found.isEmpty else { continue }
                let endings = ImageFormat.fileExtensions.sorted().joined(separator: ", ")
                throw FileError(argument, "holds no photos: no file in it ends in \(endings)")
            } catch {
                problems.append(error)
            }
        }
    }
}
