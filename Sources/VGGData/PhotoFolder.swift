import VGGFiles
import VGGImages

/// A folder of photos as a data set: sub-folders `train` and `val` (or `test`), each with one sub-folder a class,
/// or these right in it.
struct PhotoFolder {
    private let path: String
    private let train: ClassFolders
    /// nil where the folder does not say which photos are for testing.
    private let test: ClassFolders?

    /// - Throws: `FileError` if the folder is not as described.
    init(_ path: String) throws(FileError) {
        guard ClassFolders.isFolder(path) else {
            throw FileError(path, "there is no such folder; give the one that holds the photos")
        }
        self.path = path
        let folders = try ClassFolders.names(in: path).filter { ClassFolders.isFolder("\(path)/\($0)") }
        let halves = ["val", "test"].filter(folders.contains)
        // A class may be called "train", too.
        guard folders.contains("train"), !halves.isEmpty || folders.count == 1 else {
            train = try ClassFolders(path)
            test = nil
            return
        }
        train = try ClassFolders("\(path)/train")
        test = if let half = halves.first { try ClassFolders("\(path)/\(half)") } else { nil }
    }

    /// Reads which photos there are and looks at the first bytes of each.
    /// - Parameters:
    ///   - validation: which photos are kept for testing, if the folder does not say; nil for none.
    ///   - classNames: the classes in the order of their numbers; nil for the sub-folders' names.
    /// - Throws: `FileError` for a class without photos, or that is not one of those expected, or a file that is no
    ///   photo; or if the folder says itself which photos are for testing, but `validation` does too.
    func load(validation: ValidationSplit?, classNames: ClassNames?) throws -> DatasetSplits {
        guard test == nil || validation == nil else {
            throw FileError(path, "has its own photos for testing; leave the split for validation out")
        }
        let classes = classNames ?? ClassNames(train.classNames)
        var training = Examples()
        var testing = Examples()
        for className in train.classNames {
            let number = try Self.number(of: className, in: train, among: classes)
            let photos = try train.photos(of: className)
            guard !photos.isEmpty else {
                let endings = ImageFormat.fileExtensions.sorted().joined(separator: ", ")
                throw FileError(
                    "\(train.path)/\(className)",
                    "holds no photos: no file in it ends in \(endings); remove the folder, or fill it")
            }
            let kept = validation?.kept(of: photos.count, inClass: number) ?? []
            for (index, photo) in photos.enumerated() {
                if kept.contains(index) {
                    testing.add(photo, number)
                } else {
                    training.add(photo, number)
                }
            }
        }
        guard classes.count <= ImageDataset.maximumClassCount else {
            throw FileError(
                path,
                "cannot be told apart in \(classes.count) classes; \(ImageDataset.maximumClassCount) are the most"
            )
        }
        for className in test?.classNames ?? [] {
            guard let test else { break }
            let number = try Self.number(of: className, in: test, among: classes)
            for photo in try test.photos(of: className) { testing.add(photo, number) }
        }
        try Self.check(training.paths + testing.paths)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return DatasetSplits(
            train: try training.dataset(name, classNames: classes.names),
            test: try testing.dataset(name, classNames: classes.names), folder: path, isVerified: false)
    }

    private static func number(
        of className: String, in folders: ClassFolders, among classes: ClassNames
    ) throws(FileError) -> Int {
        let path = "\(folders.path)/\(className)"
        let numbers = classes.numbers(of: className)
        guard let number = numbers.first else {
            let known = classes.names.prefix(5).joined(separator: ", ") + (classes.count > 5 ? ", …" : "")
            throw FileError(path, "is not one of the classes, which are \(known)")
        }
        guard numbers.count == 1 else {
            let list = numbers.map(String.init).joined(separator: " and ")
            throw FileError(
                path, "is the name of the classes \(list); rename the folder to what tells them apart")
        }
        return number
    }

    /// - Throws: `FileError` that names the first file that is no photo.
    private static func check(_ paths: [String]) throws(FileError) {
        var first: FileError?
        var others = 0
        for path in paths {
            do throws(FileError) {
                _ = try ImageFormat(contentsOf: path)
            } catch {
                if first == nil { first = error } else { others += 1 }
            }
        }
        guard var first else { return }
        if others > 0 { first.reason += " (\(others) more cannot be used)" }
        throw first
    }
}

/// Photos with the numbers of their classes.
private struct Examples {
    var paths: [String] = []
    var labels: [UInt16] = []

    mutating func add(_ path: String, _ number: Int) {
        paths.append(path)
        labels.append(UInt16(number))
    }

    func dataset(_ name: String, classNames: [String]) throws -> ImageDataset {
        ImageDataset(
            name: name, images: .files(PhotoFiles(paths, preprocessing: try .plain(224))), labels: labels,
            classNames: classNames)
    }
}
