import Foundation
import VGGFiles
import VGGModel

/// The four files an MNIST-shaped data set consists of.
enum DatasetPart: String, CaseIterable, Sendable {
    case trainImages = "training images"
    case trainLabels = "training labels"
    case testImages = "test images"
    case testLabels = "test labels"

    /// How many dimensions the file's array has: images are count × height × width, labels count.
    var rank: Int {
        switch self {
        case .trainImages, .testImages: 3
        case .trainLabels, .testLabels: 1
        }
    }

    /// The part that a file of this name holds, if it is named as the known data sets name their files:
    /// `train-images-idx3-ubyte.gz`, `t10k-labels.idx1-ubyte`, `emnist-letters-test-images-idx3-ubyte`…
    init?(fileName: String) {
        var stem = fileName.lowercased()
        if stem.hasSuffix(".gz") { stem.removeLast(3) }
        guard stem.hasSuffix("ubyte") || stem.hasSuffix("idx") else { return nil }
        let isTrain = stem.contains("train")
        guard isTrain || stem.contains("test") || stem.contains("t10k") else { return nil }
        if stem.contains("images") {
            self = isTrain ? .trainImages : .testImages
        } else if stem.contains("labels") {
            self = isTrain ? .trainLabels : .testLabels
        } else {
            return nil
        }
    }
}

/// The paths of a data set's four files in one folder.
struct DatasetFiles {
    let folder: String
    private let trainImages: String
    private let trainLabels: String
    private let testImages: String
    private let testLabels: String

    /// Looks for the files by their names; returns nil if the folder does not exist or has none of them.
    ///
    /// If several files could be the same part, those that are named after the data set are meant (the
    /// EMNIST archive has all its sets in one folder), and a compressed file goes before its own
    /// uncompressed copy, because gzip has a checksum.
    /// - Throws: `FileError` if the folder cannot be read, `DatasetError.missingFiles` or `.ambiguousFiles`.
    init?(folder: String, dataset: String) throws {
        guard FileManager.default.fileExists(atPath: folder) else { return nil }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw FileError(folder, "cannot be read as a folder")
        }
        let candidates = Dictionary(grouping: names.sorted(), by: DatasetPart.init(fileName:))
        let missing = DatasetPart.allCases.filter { candidates[$0] == nil }
        if missing.count == DatasetPart.allCases.count { return nil }
        guard missing.isEmpty else {
            throw DatasetError.missingFiles(folder: folder, missing: missing.map(\.rawValue))
        }
        func path(_ part: DatasetPart) throws(DatasetError) -> String {
            var names = candidates[part] ?? []
            if names.count > 1 {
                let own = names.filter {
                    KnownDataset.known($0)?.name == dataset || $0.lowercased().contains(dataset)
                }
                if !own.isEmpty { names = own }
                names = names.filter { [names] in !names.contains("\($0).gz") }
            }
            guard let name = names.first, names.count == 1 else {
                throw .ambiguousFiles(folder: folder, part: part.rawValue, candidates: names)
            }
            return "\(folder)/\(name)"
        }
        self.folder = folder
        trainImages = try path(.trainImages)
        trainLabels = try path(.trainLabels)
        testImages = try path(.testImages)
        testLabels = try path(.testLabels)
    }

    /// The known data set that all four files are named after; nil if there is none.
    private var named: KnownDataset? {
        let sets = [trainImages, trainLabels, testImages, testLabels].map {
            KnownDataset.known(String($0.dropFirst(folder.count + 1)))
        }
        return sets.allSatisfy { $0?.name == sets[0]?.name } ? sets[0] : nil
    }

    /// Reads the files as the data set `asked`, or, if that is not a known one, as the one that they are named after.
    /// - Throws: `FileError` if a file cannot be read, `DatasetError` if one is not what it should be.
    func load(as asked: KnownDataset) throws -> DatasetSplits {
        let isKnown = KnownDataset.known(asked.name) != nil
        if isKnown, let named, named.name != asked.name {
            throw DatasetError.otherSet(folder: folder, name: named.name, asked: asked.name)
        }
        let known = isKnown ? asked : named ?? asked
        let nearest = KnownDataset.nearest(to: asked.name)
        guard isKnown || named != nil || nearest.count < 2 else {
            throw DatasetError.severalSets(name: asked.name, names: nearest)
        }
        let train = try Half(images: trainImages, labels: trainLabels)
        let test = try Half(images: testImages, labels: testLabels)
        guard train.height == test.height, train.width == test.width else {
            throw DatasetError.sizesDiffer(
                folder: folder, train: "\(train.height)×\(train.width)", test: "\(test.height)×\(test.width)")
        }
        let lastLabel = max(train.lastLabel, test.lastLabel)
        let classNames = known.classNames ?? (0...lastLabel).map(String.init)
        return DatasetSplits(
            train: try train.dataset(known, classNames: classNames),
            test: try test.dataset(known, classNames: classNames),
            folder: folder,
            isVerified: known.publication.map { publication in
                let contents = [
                    DatasetPart.trainImages: train.images, .trainLabels: train.labels,
                    .testImages: test.images, .testLabels: test.labels,
                ]
                return publication.files.allSatisfy { contents[$0.part]?.sha256 == $0.sha256 }
            } ?? false,
            remarks: isKnown || named != nil
                ? []
                : nearest.map {
                    "\(asked.name) is no known data set, so its classes are numbers; did you mean \(Setting.data) \($0)?"
                })
    }
}

/// The images and labels of one half of a data set, as they are in their files.
private struct Half {
    let images: IDXFile
    let labels: IDXFile
    var height: Int { images.dimensions[1] }
    var width: Int { images.dimensions[2] }
    var lastLabel: Int { Int(labels.bytes.max() ?? 0) }

    init(images imagePath: String, labels labelPath: String) throws {
        images = try IDXFile(path: imagePath, rank: DatasetPart.trainImages.rank)
        labels = try IDXFile(path: labelPath, rank: DatasetPart.trainLabels.rank)
        guard images.dimensions[0] == labels.dimensions[0] else {
            throw DatasetError.countsDiffer(
                images: images.path, imageCount: images.dimensions[0],
                labels: labels.path, labelCount: labels.dimensions[0])
        }
    }

    /// - Throws: `DatasetError.labelOutOfRange`.
    func dataset(_ known: KnownDataset, classNames: [String]) throws(DatasetError) -> ImageDataset {
        let allowed = known.firstLabel...known.firstLabel + classNames.count - 1
        if let index = labels.bytes.firstIndex(where: { !allowed.contains(Int($0)) }) {
            throw .labelOutOfRange(
                path: labels.path, index: index, label: Int(labels.bytes[index]), allowed: allowed)
        }
        return ImageDataset(
            name: known.name,
            height: known.isTransposed ? width : height, width: known.isTransposed ? height : width,
            pixels: known.isTransposed ? transposed() : images.bytes,
            labels: labels.bytes.map { $0 - UInt8(known.firstLabel) }, classNames: classNames)
    }

    /// The images with rows and columns exchanged.
    private func transposed() -> [UInt8] {
        let size = height * width
        return (0..<images.bytes.count).map { place in
            let (image, pixel) = place.quotientAndRemainder(dividingBy: size)
            return images.bytes[image * size + pixel % height * width + pixel / height]
        }
    }
}
