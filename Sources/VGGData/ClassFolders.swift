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

    /// - Throws: `FileError` if a folder cannot be read.
    func photos(of className: String) throws(FileError) -> [String] {
        try PhotoLoader.photos(in: "\(path)/\(className)")
    }

    /// The names in a folder, sorted, except hidden ones.
    static func names(in folder: String) throws(FileError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw FileError(folder, "cannot be read as a folder")
        }
        return names.filter { !$0.hasPrefix(".") }.sorted(by: isBefore)
    }

    /// Python's order: by code points, which is also that of UTF-8.
    fileprivate static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    static func isFolder(_ path: String, followingLinks: Bool = true) -> Bool {
        kind(of: path, followingLinks: followingLinks) == S_IFDIR
    }

    /// The type bits of a file's mode; nil if there is none.
    fileprivate static func kind(of path: String, followingLinks: Bool = true) -> mode_t? {
        var status = stat()
        let result = followingLinks ? stat(path, &status) : lstat(path, &status)
        return result == 0 ? status.st_mode & S_IFMT : nil
    }
}

extension PhotoLoader {
    /// The photos in a folder and in the folders in it, told by the endings of their names; hidden ones, pipes and
    /// devices are passed over.
    ///
    /// Folder by folder, sorted by their paths, and in each by name. Links to files, and to the folder itself, are
    /// followed; links to folders in it are not, so that there are no loops.
    /// - Throws: `FileError` if a folder cannot be read.
    public static func photos(in folder: String) throws(FileError) -> [String] {
        var folders = [folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder]
        var photos: [String: [String]] = [:]
        var next = 0
        while next < folders.count {
            let folder = folders[next]
            next += 1
            for name in try ClassFolders.names(in: folder) {
                let path = "\(folder)/\(name)"
                let ending = (name as NSString).pathExtension.lowercased()
                if ClassFolders.isFolder(path, followingLinks: false) {
                    folders.append(path)
                } else if ImageFormat.fileExtensions.contains(ending),
                    [S_IFREG, nil].contains(ClassFolders.kind(of: path))
                {
                    // A link that leads nowhere is reported when it is read.
                    photos[folder, default: []].append(path)
                }
            }
        }
        return photos.sorted { ClassFolders.isBefore($0.key, $1.key) }.flatMap(\.value)
    }
}
