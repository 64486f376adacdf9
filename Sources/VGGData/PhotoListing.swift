import VGGFiles
import VGGImages

/// The photos in a folder and in the folders in it, told by the endings of their names.
///
/// Folder by folder, sorted by their paths, and in each by name. Hidden files and folders, those that systems leave
/// behind (`__MACOSX`), pipes and devices are passed over. Links to files, and to the folder itself, are followed; links
/// to folders in it are not, so that there are no loops.
package struct PhotoListing: Hashable, Sendable {
    /// Its path, without a slash at the end.
    package let folder: String
    /// The photos' paths below the folder, as `FileName` has them.
    package private(set) var names: [String] = []
    /// What looks like photos, but is not among them.
    package private(set) var passedOver = PassedOver()

    /// - Throws: `FileError` if a folder cannot be read.
    package init(_ folder: String) throws(FileError) {
        self.folder = folder.utf8.count > 1 && folder.utf8.last == 0x2F ? String(folder.dropLast()) : folder
        var found: [(folder: String, photos: [String])] = []
        var waiting = [""]
        while let inner = waiting.popLast() {
            var photos: [String] = []
            for name in try Self.entries(of: inner.isEmpty ? self.folder : "\(self.folder)/\(inner)") {
                let place = inner.isEmpty ? name : "\(inner)/\(name)"
                let path = "\(self.folder)/\(place)"
                if FileKind(at: path, followingLinks: false) == .folder {
                    waiting.append(place)
                } else if isFile(path, called: name) {
                    photos.append(place)
                }
            }
            found.append((inner, photos))
        }
        names = FileName.sorted(found, by: \.folder).flatMap(\.photos)
    }

    /// The photos' paths: the folder's, and theirs below it.
    package var paths: [String] { names.map { "\(folder)/\($0)" } }

    /// The error to throw where there should be photos, but are none.
    package var noPhotos: FileError {
        let endings = ImageFormat.fileExtensions.sorted().joined(separator: ", ")
        return FileError(
            folder,
            passedOver.description.map { "holds no photos that can be read: \($0)" }
                ?? "holds no photos: no file in it ends in \(endings); fill it, or remove it")
    }

    /// Whether it is a photo, or a link that leads nowhere and should lead to one: that is reported when it is read.
    private mutating func isFile(_ path: String, called name: String) -> Bool {
        switch FileKind(at: path) {
        case .file where Self.isPhoto(name), nil where Self.isPhoto(name): return true
        case .file: passedOver.add(path, called: name)
        case .folder: passedOver.linkedFolders += 1
        case .link, .other, nil: break
        }
        return false
    }

    /// Whether a file of this name is a photo, by its ending.
    static func isPhoto(_ name: String) -> Bool {
        ImageFormat.fileExtensions.contains(fileExtension(of: name))
    }

    /// In lower case; empty for a name without a dot.
    static func fileExtension(of name: String) -> String {
        let parts = name.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count > 1 ? String(Substring(parts[parts.count - 1])).lowercased() : ""
    }

    /// The names in a folder, sorted, but for those that are nobody's data.
    static func entries(of folder: String) throws(FileError) -> [String] {
        try namesInFolder(folder).filter { $0.utf8.first != 0x2E && !leftBehind.contains($0) }
    }

    /// Folders that macOS, Synology, Windows, file systems and Python put beside people's files.
    private static let leftBehind: Set<String> = [
        "__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__pycache__",
    ]
}

/// Files and folders that somebody may have taken for photos of the data set, but that are none of it.
package struct PassedOver: Hashable, Sendable {
    /// Pictures that are not read, by their kind.
    package var unread: [String: Int] = [:]
    /// JPEG, PNG or WebP pictures whose names do not say so.
    package var unnamed = 0
    /// Links to folders.
    package var linkedFolders = 0

    /// Nothing passed over.
    package init() {}

    mutating func add(_ path: String, called name: String) {
        if let kind = UnreadPictures.kind(ofExtension: PhotoListing.fileExtension(of: name)) {
            unread[kind, default: 0] += 1
        } else if (try? ImageFormat(contentsOf: path)) != nil {
            unnamed += 1
        }
    }

    /// Adds what was passed over elsewhere.
    package mutating func add(_ other: PassedOver) {
        unread.merge(other.unread, uniquingKeysWith: +)
        unnamed += other.unnamed
        linkedFolders += other.linkedFolders
    }

    /// What was passed over, with what to do, in one line; nil for nothing.
    package var description: String? {
        var parts: [String] = []
        let count = unread.values.reduce(0, +)
        if count > 0 {
            let counts = unread.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            parts.append(
                counts.joined(separator: ", ")
                    + (count == 1
                        ? " file is not read (only JPEG, PNG and WebP are): convert it to use it"
                        : " files are not read (only JPEG, PNG and WebP are): convert them to use them"))
        }
        if unnamed > 0 {
            let endings = ImageFormat.fileExtensions.sorted().joined(separator: ", ")
            parts.append(
                unnamed == 1
                    ? "1 file is a picture, but does not end in \(endings): rename it to use it"
                    : "\(unnamed) files are pictures, but do not end in \(endings): rename them to use them")
        }
        if linkedFolders > 0 {
            parts.append(
                linkedFolders == 1
                    ? "1 link to a folder is not followed"
                    : "\(linkedFolders) links to folders are not followed")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
