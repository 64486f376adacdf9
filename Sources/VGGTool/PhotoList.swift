import Foundation
import VGGKit

/// The photos that a command line names.
struct PhotoList {
    /// In the order of the arguments; those of a folder sorted by their path.
    private(set) var files: [String] = []
    /// Folders without photos.
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
            let found = Self.photos(in: argument)
            files += found
            if found.isEmpty {
                let endings = ImageFormat.fileExtensions.sorted().joined(separator: ", ")
                problems.append(FileError(argument, "holds no photos: no file in it ends in \(endings)"))
            }
        }
    }

    /// The photos in a folder and its sub-folders, except hidden ones. Links to folders are not followed, so
    /// that there are no loops.
    private static func photos(in folder: String) -> [String] {
        guard let contents = FileManager.default.enumerator(atPath: folder) else { return [] }
        let paths = contents.compactMap { $0 as? String }.filter { path in
            ImageFormat.fileExtensions.contains((path as NSString).pathExtension.lowercased())
                && !path.split(separator: "/").contains { $0.hasPrefix(".") }
        }
        return paths.sorted().map { (folder as NSString).appendingPathComponent($0) }
    }
}
