import VGGFiles

/// Which of a folder's sub-folders are the halves of a data set, by their names: `train` and, of those that are there,
/// the first of `val`, `valid`, `validation`, `dev`, `test` and so on, in any letter case; `Training_Set`, `seg_train` and
/// `images-val` will do, too.
struct SplitFolders {
    /// Names of sub-folders that have sub-folders themselves: classes.
    private(set) var training: [String] = []
    /// The same, the ones that are better for testing a training first.
    private(set) var testing: [String] = []
    /// The other sub-folders.
    private(set) var others: [String] = []
    /// Whether all of these are called like halves, too.
    private(set) var isNothingElse = true

    /// - Throws: `FileError` if a folder cannot be read.
    init(in path: String) throws(FileError) {
        for name in try Self.folders(in: path) {
            let isHalf = Self.isHalf(name)
            if !isHalf { isNothingElse = false }
            let inner = isHalf ? try Self.folders(in: "\(path)/\(name)") : []
            if inner.isEmpty {
                others.append(name)
            } else if Self.trainingKeys.contains(Self.key(of: name)) {
                training.append(name)
            } else {
                testing.append(name)
            }
        }
        testing = testing.enumerated().sorted { left, right in
            (Self.rank(of: left.element), left.offset) < (Self.rank(of: right.element), right.offset)
        }.map(\.element)
    }

    private static let trainingKeys = ["train", "training"]
    /// What a training is tested on while it goes on comes before what is kept for its end.
    private static let testingKeys = ["val", "valid", "validation", "dev", "eval", "evaluation"] + endKeys
    private static let endKeys = ["test", "testing", "holdout"]

    /// Whether a folder of this name is a half of the data, if there are classes in it.
    static func isHalf(_ name: String) -> Bool {
        let key = key(of: name)
        return trainingKeys.contains(key) || testingKeys.contains(key)
    }

    /// Whether a folder of this name, beside one for validation, is what a training has no look at.
    static func isForTheEnd(_ name: String) -> Bool { endKeys.contains(key(of: name)) }

    private static func rank(of name: String) -> Int { testingKeys.firstIndex(of: key(of: name)) ?? 0 }

    /// The letters of a name, in lower case, without what says only that it is a folder of photos: of several words the
    /// last, if it is one of these keys, or all.
    private static func key(of name: String) -> String {
        let words = name.lowercased().split { !$0.isLetter }
        if words.count > 1, let last = words.last.map(String.init),
            (trainingKeys + testingKeys).contains(last)
        {
            return last
        }
        var key = String(name.lowercased().filter(\.isLetter))
        let endings = ["set", "data", "images", "imgs", "photos", "pictures", "split", "folder", "dir"]
        while let ending = endings.first(where: { key.count > $0.count && key.hasSuffix($0) }) {
            key.removeLast(ending.count)
        }
        return key
    }

    static func folders(in path: String) throws(FileError) -> [String] {
        try PhotoListing.entries(of: path).filter { FileKind(at: "\(path)/\($0)") == .folder }
    }
}
