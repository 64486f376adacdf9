import VGGFiles
import VGGModel

/// What to say about folders that would train something else than was meant.
extension PhotoFolder {
    /// The classes to train on.
    /// - Throws: `FileError` if there are not several, or if the parts of the data lie within them.
    func severalClasses() throws(FileError) -> [String] {
        guard let train else {
            throw FileError(
                path, "has photos for testing, but no folder train; add one with a folder for each class")
        }
        guard train.classNames.count > 1 else {
            let name = train.classNames.first ?? ""
            throw FileError(
                train.path,
                "has only one class, \(name), and nothing to tell it from; make a folder for each class\(meant)"
            )
        }
        var halves: [String] = []
        // What each has in it, of those that hold no photos themselves.
        var inner: [[String]] = []
        for name in train.classNames {
            let path = "\(train.path)/\(name)"
            let folders = try SplitFolders.folders(in: path)
            guard !folders.isEmpty, !Self.holdsPhotos(path) else { return train.classNames }
            if folders.allSatisfy(SplitFolders.isHalf) { halves = folders }
            inner.append(folders)
        }
        guard !halves.isEmpty else {
            // `fold1`, `fold2`, …: each has the classes in it.
            let words = Set(train.classNames.map { $0.filter { !$0.isNumber } })
            guard words.count == 1, inner[0].count > 1, inner.allSatisfy({ $0 == inner[0] }) else {
                return train.classNames
            }
            throw FileError(
                train.path,
                "has the folders \(Self.list(inner[0])) in each of \(Self.list(train.classNames)), which therefore look "
                    + "like parts of the data and not like classes; name one of them, "
                    + "\(Setting.data) \("folder:\(train.path)/\(train.classNames[0])".shellWord), or call two train and val"
            )
        }
        throw FileError(
            train.path,
            "has \(Self.list(halves)) within its classes; put the classes into these instead: \(halves[0])/"
                + train.classNames[0])
    }

    /// Words for the end of an error: the folder that was probably meant; none if there is none.
    static func meant(insteadOf path: String) -> String {
        guard let folder = probablyMeant(insteadOf: path) else { return "" }
        return "; did you mean this? \(Setting.data) \("folder:\(folder)".shellWord)"
    }

    var meant: String { Self.meant(insteadOf: path) }

    /// What to say if the folder is the training half of another one; nil if it is not.
    var halfRemark: String? {
        let parts = path.split(separator: "/")
        let parent = "/" + parts.dropLast().joined(separator: "/")
        guard let name = parts.last.map(String.init), SplitFolders.isHalf(name),
            let halves = try? SplitFolders(in: parent), halves.training == [name],
            let test = halves.testing.first
        else { return nil }
        return
            "\(path): lies beside \(test); \(Setting.data) \("folder:\(parent)".shellWord) trains on the one and tests on the other"
    }

    private static func probablyMeant(insteadOf path: String) -> String? {
        // One too high: archives are often unpacked into a folder of their own name.
        var inner = path
        while let folders = try? SplitFolders.folders(in: inner), folders.count == 1 {
            inner += "/\(folders[0])"
            if isDataset(inner) { return inner }
        }
        // One too low: a class.
        let above = path.split(separator: "/").dropLast()
        guard let half = above.last, holdsPhotos(path) else { return nil }
        let parents = SplitFolders.isHalf(String(half)) ? [above.dropLast(), above] : [above]
        return parents.map { "/" + $0.joined(separator: "/") }.first(where: isDataset)
    }

    /// Whether the folder can be trained on: there are photos right in several class folders, and in all.
    private static func isDataset(_ path: String) -> Bool {
        guard let train = try? PhotoFolder(path).train, train.classNames.count > 1 else { return false }
        return train.classNames.allSatisfy { holdsPhotos("\(train.path)/\($0)") }
    }

    /// Whether there are photos right in the folder.
    private static func holdsPhotos(_ path: String) -> Bool {
        (try? PhotoListing.entries(of: path).contains(where: PhotoListing.isPhoto)) ?? false
    }
}
