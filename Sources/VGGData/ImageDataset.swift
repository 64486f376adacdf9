import VGGFiles
import VGGImages
import VGGModel

/// Labelled images: where they are, what each shows, and what the classes are called.
public struct ImageDataset: Sendable {
    /// The most classes that labels can tell apart.
    public static let maximumClassCount = 1 << 16

    /// As the catalogue has it; `folder` for photos.
    public let name: String
    /// Where the examples' bytes are.
    public let images: ImageSource
    /// One index into `classNames` for each image.
    public let labels: [UInt16]
    /// In the order of their numbers.
    public let classNames: [String]

    /// Examples.
    public var count: Int { labels.count }

    /// - Precondition: there are as many images as labels, and every label has a class name.
    public init(name: String, images: ImageSource, labels: [UInt16], classNames: [String]) {
        precondition(
            images.count == labels.count, "\(images.count) images do not have \(labels.count) labels")
        precondition(labels.allSatisfy { $0 < classNames.count }, "a label has no class name")
        self.name = name
        self.images = images
        self.labels = labels
        self.classNames = classNames
    }

    /// A data set in memory.
    /// - Precondition: `pixels` holds `labels.count` images, and every label has a class name.
    public init(
        name: String, height: Int, width: Int, channels: Int = 1, pixels: [UInt8], labels: [UInt8],
        classNames: [String]
    ) {
        let images = StoredImages(height: height, width: width, channels: channels, bytes: pixels)
        self.init(
            name: name, images: .stored(images), labels: labels.map(UInt16.init), classNames: classNames)
    }

    /// Whether the images are photos in files.
    public var hasPhotos: Bool { images.shape == nil }

    /// Of an image as it is: of photos 3.
    public var channels: Int {
        switch images {
        case .stored(let images): images.channels
        case .files: 3
        }
    }

    /// How these images become a network's input: as `preprocessing` says; but images in memory that it only resizes and
    /// makes 0…1 are taken whole, whatever their sides, as the chapter does it.
    public func preparation(_ preprocessing: Preprocessing) -> Preparation {
        let isAsItIs =
            !hasPhotos && preprocessing.isPlain && preprocessing.channels.count == channels
        return isAsItIs
            ? Preparation(stretchingTo: preprocessing.size, preprocessing.size, channels: channels)
            : Preparation(preprocessing)
    }

    /// The first `maxLength` examples, or all of them if there are fewer.
    public func prefix(_ maxLength: Int) -> ImageDataset {
        maxLength < count ? subset(Array(0..<maxLength)) : self
    }

    /// At most `limit` examples: the first ones, but of photos, which lie class by class, some of each class in
    /// proportion.
    public func limited(to limit: Int) -> ImageDataset {
        guard hasPhotos, limit < count else { return prefix(limit) }
        return subset((0..<limit).map { $0 * count / limit })
    }

    /// The examples at these positions, in this order.
    func subset(_ positions: [Int]) -> ImageDataset {
        ImageDataset(
            name: name, images: images.subset(positions), labels: positions.map { labels[$0] },
            classNames: classNames)
    }

    /// One example with its label, made as a `BatchLoader` would.
    /// - Throws: `DatasetError.indexOutOfRange`, or `FileError` if it is a file that cannot be read.
    public func example(at index: Int, _ preparation: Preparation) throws -> ImageBatch {
        guard labels.indices.contains(index) else {
            throw DatasetError.indexOutOfRange(index, dataset: name, count: count)
        }
        let image = preparation.input(from: try images.pixels(at: index, alpha: preparation.alpha))
        return try ImageBatch(image.values, shape: image.shape, labels: [Int32(labels[index])])
    }
}
