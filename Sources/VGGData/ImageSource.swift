import VGGFiles
import VGGImages
import VGGModel

/// Where images are. A source gives the bytes of each; what they become for a network, a `Preparation` says.
public enum ImageSource: Sendable {
    /// In memory, all of one size.
    case stored(StoredImages)
    /// Photos in files, decoded whenever they are wanted.
    case files(PhotoFiles)

    /// Images.
    public var count: Int {
        switch self {
        case .stored(let images): images.count
        case .files(let photos): photos.names.count
        }
    }

    /// Of each image; nil of photos, of which every one has its own.
    public var shape: Shape? {
        switch self {
        case .stored(let images):
            .map(channels: images.channels, height: images.height, width: images.width)
        case .files: nil
        }
    }

    /// The photos' paths; none of what is in memory.
    public var files: [String] {
        switch self {
        case .stored: []
        case .files(let photos): photos.paths
        }
    }

    /// The bytes of one image.
    /// - Parameter alpha: what becomes of a photo's transparent pixels.
    /// - Throws: `FileError` if it is a file that cannot be read.
    public func pixels(at index: Int, alpha: RGBImage.Alpha = .dropped) throws(FileError) -> Pixels {
        switch self {
        case .stored(let images): images.pixels(at: index)
        case .files(let photos): Pixels(try RGBImage(named: photos.path(at: index), alpha: alpha))
        }
    }

    /// The images at these positions, in this order.
    func subset(_ positions: [Int]) -> ImageSource {
        switch self {
        case .stored(let images): .stored(images.subset(positions))
        case .files(let photos):
            .files(PhotoFiles(in: photos.folder, names: positions.map { photos.names[$0] }))
        }
    }
}

/// Images of one size in memory: bytes, channels last.
public struct StoredImages: Sendable {
    /// Of each image, in pixels.
    public let height: Int
    /// Of each image, in pixels.
    public let width: Int
    /// Bytes of a pixel: 1 for grey, 3 for red, green and blue.
    public let channels: Int
    /// `[count, height, width, channels]`, 0 (black) to 255.
    public let bytes: [UInt8]

    /// - Precondition: there are bytes of whole images.
    public init(height: Int, width: Int, channels: Int = 1, bytes: [UInt8]) {
        precondition(
            min(height, width, channels) > 0 && bytes.count % (height * width * channels) == 0,
            "\(bytes.count) bytes are not images of \(height)×\(width)×\(channels)")
        self.height = height
        self.width = width
        self.channels = channels
        self.bytes = bytes
    }

    /// Images.
    public var count: Int { bytes.count / bytesPerImage }
    private var bytesPerImage: Int { height * width * channels }

    /// One image.
    public func pixels(at index: Int) -> Pixels {
        Pixels(
            height: height, width: width, channels: channels,
            bytes: bytes[index * bytesPerImage..<(index + 1) * bytesPerImage])
    }

    func subset(_ positions: [Int]) -> StoredImages {
        var subset: [UInt8] = []
        subset.reserveCapacity(positions.count * bytesPerImage)
        for position in positions { subset += pixels(at: position).bytes }
        return StoredImages(height: height, width: width, channels: channels, bytes: subset)
    }
}

/// Photos in files.
public struct PhotoFiles: Sendable {
    /// The folder they are in; empty where the names are paths.
    public let folder: String
    /// Their paths below the folder, as `FileName` has them; without one, also `-` for standard input.
    public let names: [String]

    /// Photos that are decoded when they are wanted, and not looked at before.
    public init(in folder: String = "", names: [String]) {
        self.folder = folder
        self.names = names
    }

    /// The files, each with the folder before its name.
    public var paths: [String] { names.indices.map(path) }

    func path(at index: Int) -> String { folder.isEmpty ? names[index] : "\(folder)/\(names[index])" }
}
