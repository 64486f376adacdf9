import Foundation
import VGGFiles
import VGGImages

/// A folder with one sub-folder of photos for each class, read as torchvision's `ImageFolder` does.
struct ClassFolders {
    let path: String
    /// The sub-folders' names, sorted by their code points.
    let classNames: [String]

    /// - Throws: `FileError` if the folder cannot be read or has no sub-folders.
    init(_ path: String) throws(FileError) {
        self.path = path
        classNames = try Self.names(in: path).filter { Self.isFolder("\(path)/\($0)") }
        guard !classNames.isEmpty else {
            throw FileError(path, "has no sub-folders; make one for each class, with its photos")
        }
        guard classNames.count <= ImageDataset.maximumClassCount else {
            throw FileError(
                path,
                "has \(classNames.count) sub-folders, more than \(ImageDataset.maximumClassCount) classes")
        }
    }

    /// The photos of a class: those in its folder and in the folders in it, told by the endings of their names.
    ///
    /// Folder by folder, sorted by their paths, and in each by name. Links to files, and to the class's folder, are
    /// followed; links to folders in it are not, so that there are no loops.
    /// - Throws: `FileError` if a folder cannot be read.
    func photos(of className: String) throws(FileError) -> [String] {
        var folders = ["\(path)/\(className)"]
        var photos: [String: [String]] = [:]
        var next = 0
        while next < folders.count {
            let folder = folders[next]
            next += 1
            for name in try Self.names(in: folder) {
                if ImageFormat.fileExtensions.contains((name as NSString).pathExtension.lowercased()) {
                    photos[folder, default: []].append("\(folder)/\(name)")
                } else if Self.isFolder("\(folder)/\(name)", followingLinks: false) {
                    folders.append("\(folder)/\(name)")
                }
            }
        }
        return photos.sorted { Self.isBefore($0.key, $1.key) }.flatMap(\.value)
    }

    /// The names in a folder, sorted, except hidden ones.
    static func names(in folder: String) throws(FileError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw FileError(folder, "cannot be read as a folder")
        }
        return names.filter { !$0.hasPrefix(".") }.sorted(by: isBefore)
    }

    /// Python's order: by code points, which is also that of UTF-8.
    private static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    static func isFolder(_ path: String, followingLinks: Bool = true) -> Bool {
        var status = stat()
        let result = followingLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
