import VGGFiles
import VGGImages

/// Labelled images: how many there are, what their classes are, and how one of them is made at a size.
public struct ImageDataset: Sendable {
    /// Where the images are.
    public enum Images: Sendable {
        /// In memory, all of one size.
        case stored(StoredImages)
        /// Photos in files, decoded whenever they are wanted.
        case files(PhotoFiles)
    }

    /// The most classes that labels can tell apart.
    public static let maximumClassCount = 1 << 16

    public let name: String
    public let images: Images
    /// One index into `classNames` for each image.
    public let labels: [UInt16]
    public let classNames: [String]

    public var count: Int { labels.count }

    /// - Precondition: there are as many images as labels, and every label has a class name.
    public init(name: String, images: Images, labels: [UInt16], classNames: [String]) {
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
        let images = StoredImages(height: height, width: width, channels: channels, pixels: pixels)
        self.init(
            name: name, images: .stored(images), labels: labels.map(UInt16.init), classNames: classNames)
    }

    /// The height of an image as bytes, in pixels; of photos, what they are prepared to.
    public var height: Int {
        switch images {
        case .stored(let images): images.height
        case .files(let photos): photos.preprocessing.size
        }
    }

    /// The width, likewise.
    public var width: Int {
        switch images {
        case .stored(let images): images.width
        case .files(let photos): photos.preprocessing.size
        }
    }

    /// Of an image as a network sees it.
    public var channels: Int {
        switch images {
        case .stored(let images): images.preprocessing?.channels.count ?? images.channels
        case .files(let photos): photos.preprocessing.channels.count
        }
    }

    /// `[count, height, width, channels]`, 0 (black) to 255; none where the images are files.
    public var pixels: [UInt8] {
        switch images {
        case .stored(let images): images.pixels
        case .files: []
        }
    }

    /// How the images become a network's input; nil of images in memory that are only resized.
    public var preprocessing: Preprocessing? {
        switch images {
        case .stored(let images): images.preprocessing
        case .files(let photos): photos.preprocessing
        }
    }

    /// Whether the images are photos in files.
    public var hasPhotos: Bool {
        switch images {
        case .stored: false
        case .files: true
        }
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

    /// The same images, prepared in another way: those in memory as if they were photos, grey ones also for a network
    /// that wants colours and the other way round; but what `Preprocessing.plain` does to them, they are as they are.
    public func prepared(by preprocessing: Preprocessing) -> ImageDataset {
        let prepared: Images
        switch images {
        case .stored(var images):
            let isAsItIs = preprocessing.isPlain && preprocessing.channels.count == images.channels
            images.preprocessing = isAsItIs ? nil : preprocessing
            prepared = .stored(images)
        case .files(let photos):
            prepared = .files(
                PhotoFiles(in: photos.folder, names: photos.names, preprocessing: preprocessing))
        }
        return ImageDataset(name: name, images: prepared, labels: labels, classNames: classNames)
    }

    /// The bytes `[height, width, channels]` of one image.
    /// - Throws: `DatasetError.indexOutOfRange`, or `FileError` if it is a file that cannot be read.
    public func pixels(at index: Int) throws -> ArraySlice<UInt8> {
        try check(index)
        switch images {
        case .stored(let images): return images.pixels(at: index)
        case .files(let photos): return try photos.pixels(at: index)[...]
        }
    }

    /// One example, made as a `BatchLoader` would.
    /// - Precondition: photos are prepared for this size.
    /// - Throws: `DatasetError.indexOutOfRange`, or `FileError` if it is a file that cannot be read.
    public func example(at index: Int, height: Int, width: Int) throws -> Example {
        try check(index)
        let maker = ExampleMaker(self, height: height, width: width)
        var image = [Float](repeating: 0, count: maker.count)
        try image.withUnsafeMutableBufferPointer { try maker.write(index, to: $0) }
        return Example(image: image, label: Int(labels[index]))
    }

    private func check(_ index: Int) throws(DatasetError) {
        guard labels.indices.contains(index) else {
            throw .indexOutOfRange(index, dataset: name, count: count)
        }
    }
}

extension ImageDataset.Images {
    var count: Int {
        switch self {
        case .stored(let images): images.count
        case .files(let photos): photos.names.count
        }
    }

    func subset(_ positions: [Int]) -> Self {
        switch self {
        case .stored(let images): .stored(images.subset(positions))
        case .files(let photos):
            .files(
                PhotoFiles(
                    in: photos.folder, names: positions.map { photos.names[$0] },
                    preprocessing: photos.preprocessing))
        }
    }
}

/// One image `[height, width, channels]` as a network sees it, and its class.
public struct Example: Hashable, Sendable {
    public let image: [Float]
    public let label: Int
}
