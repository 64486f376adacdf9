import VGGFiles
import VGGImages

/// A folder of photos as a data set: sub-folders for training and for testing (`SplitFolders`), each with one sub-folder
/// a class, or these right in it. With one for validation and another for testing beside that for training, it has all three.
struct PhotoFolder {
    let path: String
    /// nil where there are only photos for testing.
    let train: ClassFolders?
    /// nil where the folder does not say which photos are for testing.
    let test: ClassFolders?
    /// nil where the folder does not say which photos are for validation and which for testing.
    let validation: ClassFolders?
    /// What lies beside the folders for training and testing.
    private var loose: LooseFiles?
    /// What the folder holds and does not become part of the data set, line by line.
    private var remarks: [String] = []

    /// - Throws: `FileError` if the folder is not as described, or can be understood in two ways.
    init(_ path: String) throws(FileError) {
        guard FileKind(at: path) == .folder else {
            throw FileError(path, "there is no such folder; give the one that holds the photos")
        }
        self.path = path
        let halves = try SplitFolders(in: path)
        guard halves.training.count < 2 else {
            throw FileError(
                path, "has more than one folder for training: \(Self.list(halves.training)); keep one of them"
            )
        }
        guard let half = halves.training.first ?? halves.testing.first else {
            guard halves.others.isEmpty || !halves.isNothingElse else {
                throw FileError(
                    path,
                    "has \(Self.list(halves.others)), but no class folders in there; make one for each class, "
                        + "with its photos")
            }
            train = try ClassFolders(path)
            (test, validation) = (nil, nil)
            return
        }
        // A class may be called "train", too, and have folders in it.
        guard halves.isNothingElse || !halves.training.isEmpty && !halves.testing.isEmpty else {
            throw FileError(
                path,
                "has \(half) with folders in it beside \(Self.list(halves.others)); if \(half) is a class, put its photos "
                    + "right into it; if it is a part of the data with all classes, put the others into such a part, too"
            )
        }
        train = if let name = halves.training.first { try ClassFolders(path, half: name) } else { nil }
        let first = halves.testing.first
        // What is for the end, beside one for validation.
        let isForValidation = train != nil && first.map(SplitFolders.isForTheEnd) == false
        let last = isForValidation ? halves.testing.dropFirst().first(where: SplitFolders.isForTheEnd) : nil
        let used = last ?? first
        test = if let used { try ClassFolders(path, half: used) } else { nil }
        validation = if last != nil, let first { try ClassFolders(path, half: first) } else { nil }
        loose = LooseFiles(try PhotoListing.entries(of: path), in: path)
        let unused = halves.testing.dropFirst().filter { $0 != last }
        if let used, !unused.isEmpty {
            remarks.append("\(path): tests are made on \(used), not on \(Self.list(unused))")
        }
        if !halves.others.isEmpty {
            remarks.append(
                "\(path): \(Self.list(halves.others)) \(halves.others.count == 1 ? "holds" : "hold") no part of the data "
                    + "with class folders and is not used")
        }
    }

    /// Reads which photos there are.
    /// - Parameters:
    ///   - split: which photos of the training half are kept for validation, in place of the folder's own, or for testing if
    ///     the folder does not say; nil for none.
    ///   - classNames: the classes in the order of their numbers; nil for the sub-folders' names, of which
    ///     there must be two.
    ///   - checksPhotos: whether to look at the first bytes of each.
    /// - Throws: `FileError` for a class without photos, or that is not among those expected, or a file that is no
    ///   photo.
    func load(validation split: ValidationSplit?, classNames: ClassNames?, checksPhotos: Bool) throws
        -> DatasetSplits
    {
        let classes = try classNames ?? ClassNames(severalClasses())
        guard classes.count <= ImageDataset.maximumClassCount else {
            throw FileError(
                path,
                "cannot be told apart in \(classes.count) classes; \(ImageDataset.maximumClassCount) are the most"
            )
        }
        var passedOver = PassedOver()
        let training = try examples(of: train, among: classes, &passedOver)
        let testing = try examples(of: test, among: classes, &passedOver)
        let validating = try examples(of: validation, among: classes, &passedOver)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let half = classNames == nil && split == nil && test == nil ? halfRemark : nil
        var splits = DatasetSplits(
            train: training.dataset(name, in: path, classNames: classes.names),
            test: testing.dataset(name, in: path, classNames: classes.names), folder: path,
            isVerified: false,
            remarks: remarks + remarks(on: passedOver) + (half.map { [$0] } ?? []))
        if let split {
            splits = splits.keeping(split)
            if let validation {
                splits.remarks.append(
                    "\(validation.path): is not used; a part of the training half is validated on")
            }
        } else if validation != nil {
            splits.validation = validating.dataset(name, in: path, classNames: classes.names)
        }
        if checksPhotos {
            for dataset in [splits.train, splits.test, splits.validation] { try dataset?.checkPhotos() }
        }
        return splits
    }

    private func examples(
        of folders: ClassFolders?, among classes: ClassNames, _ passedOver: inout PassedOver
    ) throws(FileError) -> Examples {
        var examples = Examples()
        guard let folders else { return examples }
        for className in folders.classNames {
            let number = try number(of: className, in: folders, among: classes)
            let listing = try folders.photos(of: className)
            guard !listing.names.isEmpty || folders.path != train?.path else { throw listing.noPhotos }
            passedOver.add(listing.passedOver)
            for photo in listing.names { examples.add("\(folders.prefix)\(className)/\(photo)", number) }
        }
        return examples
    }

    private func number(
        of className: String, in folders: ClassFolders, among classes: ClassNames
    ) throws(FileError) -> Int {
        let path = "\(folders.path)/\(className)"
        let numbers = classes.numbers(of: className)
        guard let number = numbers.first else {
            throw FileError(path, "is not one of the classes, which are \(classes.names.firstFew)\(meant)")
        }
        guard numbers.count == 1 else {
            let list = numbers.map(String.init).joined(separator: " and ")
            throw FileError(
                path, "is the name of the classes \(list); rename the folder to what tells them apart")
        }
        return number
    }

    private func remarks(on passedOver: PassedOver) -> [String] {
        var loose = loose
        for folders in [train, validation, test].compactMap({ $0 }) {
            if loose == nil { loose = folders.loose } else { loose?.add(folders.loose) }
        }
        var passedOver = passedOver
        var remarks: [String] = []
        if let loose {
            passedOver.add(loose.passedOver)
            if loose.photos > 0 {
                let count = loose.photos == 1 ? "1 photo lies" : "\(loose.photos) photos lie"
                remarks.append("\(path): \(count) beside the class folders, of no class and not used")
            }
        }
        if let text = passedOver.description { remarks.append("\(path): \(text)") }
        return remarks
    }

    static func list(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
        return names.dropLast().joined(separator: ", ") + " and \(last)"
    }
}

/// Photos with the numbers of their classes.
private struct Examples {
    var names: [String] = []
    var labels: [UInt16] = []

    mutating func add(_ name: String, _ number: Int) {
        names.append(name)
        labels.append(UInt16(number))
    }

    func dataset(_ name: String, in folder: String, classNames: [String]) -> ImageDataset {
        ImageDataset(
            name: name, images: .files(PhotoFiles(in: folder, names: names)), labels: labels,
            classNames: classNames)
    }
}
