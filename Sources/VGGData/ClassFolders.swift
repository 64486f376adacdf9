import VGGFiles

/// A folder with one sub-folder of photos for each class, read as torchvision's `ImageFolder` does.
struct ClassFolders {
    let path: String
    /// What the classes' paths below the folder of the data begin with: the name of the half, if this is one.
    let prefix: String
    /// The sub-folders' names, sorted by their code points.
    let classNames: [String]
    /// What lies beside the sub-folders.
    let loose: LooseFiles

    /// - Parameter half: the sub-folder of `folder` that is meant; nil for `folder` itself.
    /// - Throws: `FileError` if the folder cannot be read or has no sub-folders, or if two of them are called alike.
    init(_ folder: String, half: String? = nil) throws(FileError) {
        path = half.map { "\(folder)/\($0)" } ?? folder
        prefix = half.map { "\($0)/" } ?? ""
        let path = path
        let entries = try PhotoListing.entries(of: path)
        if let lost = entries.first(where: { !PhotoListing.isPhoto($0) && Self.leadsNowhere("\(path)/\($0)") }
        ) {
            throw FileError("\(path)/\(lost)", "is a link that leads nowhere; mend it, or remove it")
        }
        classNames = entries.filter { FileKind(at: "\(path)/\($0)") == .folder }
        loose = LooseFiles(entries, in: path)
        guard !classNames.isEmpty else {
            throw FileError(
                path,
                "has no sub-folders; make one for each class, with its photos\(PhotoFolder.meant(insteadOf: path))"
            )
        }
        guard classNames.count <= ImageDataset.maximumClassCount else {
            throw FileError(
                path,
                "has \(classNames.count) sub-folders, more than \(ImageDataset.maximumClassCount) classes")
        }
        // Swift's texts are equal where Unicode says so, whatever their bytes are.
        if let twins = Dictionary(grouping: classNames, by: { $0 }).values.first(where: { $0.count > 1 }) {
            let forms = twins.map { name in
                name.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
            }
            throw FileError(
                path,
                "has the class \(twins[0]) twice, in two Unicode forms (\(forms.joined(separator: " and "))); put their "
                    + "photos into one folder")
        }
    }

    /// - Throws: `FileError` if a folder cannot be read.
    func photos(of className: String) throws(FileError) -> PhotoListing {
        try PhotoListing("\(path)/\(className)")
    }

    private static func leadsNowhere(_ path: String) -> Bool {
        FileKind(at: path) == nil && FileKind(at: path, followingLinks: false) == .link
    }
}

/// Files right in a folder in which photos belong into sub-folders.
struct LooseFiles {
    private(set) var photos = 0
    private(set) var passedOver = PassedOver()

    /// - Parameter entries: the names in the folder.
    init(_ entries: [String], in folder: String) {
        for name in entries where FileKind(at: "\(folder)/\(name)") == .file {
            if PhotoListing.isPhoto(name) {
                photos += 1
            } else {
                passedOver.add("\(folder)/\(name)", called: name)
            }
        }
    }

    mutating func add(_ other: LooseFiles) {
        photos += other.photos
        passedOver.add(other.passedOver)
    }
}
