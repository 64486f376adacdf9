import VGGImages

/// Labelled images of one size, as they are stored: bytes, channels last.
public struct ImageDataset: Sendable {
    public let name: String
    public let height: Int
    public let width: Int
    public let channels: Int
    /// `[count, height, width, channels]`, 0 (black) to 255.
    public let pixels: [UInt8]
    /// One index into `classNames` for each image.
    public let labels: [UInt8]
    public let classNames: [String]

    public var count: Int { labels.count }
    var pixelsPerImage: Int { height * width * channels }

    /// - Precondition: `pixels` holds `labels.count` images, and every label has a class name.
    public init(
        name: String, height: Int, width: Int, channels: Int = 1, pixels: [UInt8], labels: [UInt8],
        classNames: [String]
    ) {
        precondition(
            pixels.count == labels.count * height * width * channels,
            "\(pixels.count) bytes are not \(labels.count) images of \(height)×\(width)×\(channels)")
        precondition(labels.allSatisfy { $0 < classNames.count }, "a label has no class name")
        self.name = name
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
        self.labels = labels
        self.classNames = classNames
    }

    /// The first `maxLength` examples, or all of them if there are fewer.
    public func prefix(_ maxLength: Int) -> ImageDataset {
        guard maxLength < count else { return self }
        return ImageDataset(
            name: name, height: height, width: width, channels: channels,
            pixels: Array(pixels.prefix(maxLength * pixelsPerImage)), labels: Array(labels.prefix(maxLength)),
            classNames: classNames)
    }

    /// The stored bytes `[height, width, channels]` of one image.
    /// - Throws: `DatasetError.indexOutOfRange`.
    public func pixels(at index: Int) throws(DatasetError) -> ArraySlice<UInt8> {
        guard labels.indices.contains(index) else {
            throw .indexOutOfRange(index, dataset: name, count: count)
        }
        return pixels[index * pixelsPerImage..<(index + 1) * pixelsPerImage]
    }

    /// One example, resized as a `BatchLoader` would.
    /// - Throws: `DatasetError.indexOutOfRange`.
    public func example(at index: Int, height: Int, width: Int) throws(DatasetError) -> Example {
        let stored = try pixels(at: index)
        let resampler = Resampler(
            height: self.height, width: self.width, toHeight: height, width: width, channels: channels)
        let resized = resampler.resize(Array(stored))
        return Example(image: resized.map(unitInterval), label: Int(labels[index]))
    }
}

/// One image `[height, width, channels]` with values in 0...1, and its class.
public struct Example: Hashable, Sendable {
    public let image: [Float]
    public let label: Int
}

/// A byte as a value in 0...1: a division, like torchvision's `ToTensor`, not a product with the rounded 1/255.
@inline(__always)
func unitInterval(_ byte: UInt8) -> Float { Float(byte) / 255 }

/// The two halves of a data set.
public struct DatasetSplits: Sendable {
    public let train: ImageDataset
    public let test: ImageDataset
    /// The folder the files were read from.
    public let folder: String
    /// Whether the content has the published checksums; false also where none are known.
    public let isVerified: Bool
}
