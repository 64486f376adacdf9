import VGGModel

/// Why a data set cannot be used.
public enum DatasetError: Error, Hashable, CustomStringConvertible {
    /// A file is not what it should be: `reason` says how, in words that follow the path.
    case malformedFile(path: String, reason: String)
    /// An image of the file has a label that the data set does not have.
    case labelOutOfRange(path: String, index: Int, label: Int, allowed: ClosedRange<Int>)
    /// There are not as many labels as images.
    case countsDiffer(images: String, imageCount: Int, labels: String, labelCount: Int)
    /// The training images have another size than the test images.
    case sizesDiffer(folder: String, train: String, test: String)
    /// A folder lacks some of the four files.
    case missingFiles(folder: String, missing: [String])
    /// Several files of a folder could be the one that is wanted.
    case ambiguousFiles(folder: String, part: String, candidates: [String])
    /// A folder's files are named after another known set than the one that was asked for.
    case otherSet(folder: String, name: String, asked: String)
    /// The name is that of several sets.
    case severalSets(name: String, names: [String])
    /// A set that is only read from a folder of the user's was asked for without one.
    case folderMissing(name: String)
    /// There is no data set of this name where it was looked for.
    case notFound(name: String, searched: [String])
    /// Every way to fetch the set failed; `reasons` has one line for each.
    case fetchFailed(name: String, searched: [String], reasons: [String])
    /// There is no example of this number.
    case indexOutOfRange(_ index: Int, dataset: String, count: Int)

    /// The known names that are near to one that is not known, as a remark; empty if there are none.
    private static func meant(_ name: String) -> String {
        let names = KnownDataset.known(name) == nil ? KnownDataset.nearest(to: name) : []
        return names.isEmpty ? "" : " (did you mean \(names.joined(separator: ", "))?)"
    }

    public var description: String {
        switch self {
        case .malformedFile(let path, let reason):
            "\(path): \(reason); get the file again"
        case .labelOutOfRange(let path, let index, let label, let allowed):
            """
            \(path): label \(index) is \(label), outside \(allowed.lowerBound)...\(allowed.upperBound); \
            choose the \(Setting.data) name that fits these files, or get the file again
            """
        case .countsDiffer(let images, let imageCount, let labels, let labelCount):
            """
            \(images) has \(imageCount) images but \(labels) has \(labelCount) labels; \
            use two files that belong together
            """
        case .sizesDiffer(let folder, let train, let test):
            """
            \(folder): the training images are \(train) but the test images \(test); \
            use files that belong together
            """
        case .missingFiles(let folder, let missing):
            """
            \(folder): no IDX file of the \(missing.joined(separator: ", ")); put files named like \
            train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and \
            t10k-labels-idx1-ubyte (or with .gz) there
            """
        case .ambiguousFiles(let folder, let part, let candidates):
            """
            \(folder): \(candidates.joined(separator: ", ")) could all be the \(part); \
            keep one data set a folder
            """
        case .otherSet(let folder, let name, let asked):
            "\(folder): holds the files of \(name), not of \(asked); use \(Setting.data) \("\(name):\(folder)".shellWord)"
        case .severalSets(let name, let names):
            "'\(name)' is not one data set; name one of \(names.joined(separator: ", "))"
        case .folderMissing(let name):
            "the data set '\(name)' has no usual place; give its folder with its name: \(name):PATH"
        case .notFound(let name, let searched):
            """
            the data set '\(name)' is not in \(searched.joined(separator: " or "))\(Self.meant(name)), and only \
            fashion-mnist can be fetched; put its four IDX files there or give their folder as \(Setting.dataDirectory), or \
            photos as folder:PATH
            """
        case .fetchFailed(let name, let searched, let reasons):
            """
            the data set '\(name)' is not in \(searched.joined(separator: " or ")) and could not be \
            fetched (\(reasons.joined(separator: "; "))); connect to the network, or give the folder of \
            its four IDX files as \(Setting.dataDirectory)
            """
        case .indexOutOfRange(let index, let dataset, let count):
            "there is no example \(index): \(dataset) has \(count), counted from 0 to \(count - 1)"
        }
    }
}
