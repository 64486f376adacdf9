import VGGData
import VGGImages
import VGGTestSupport

/// An IDX file of unsigned bytes.
func idx(_ dimensions: [Int], _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(dimensions.count)] + dimensions.flatMap { bigEndian(UInt32($0)) } + bytes
}

/// `bytes` as one gzip member with one stored block (RFC 1951 and 1952).
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let length = UInt16(bytes.count)
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        + [1] + [length, ~length].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } + bytes
        + bigEndian(crc32(bytes)).reversed() + bigEndian(UInt32(bytes.count)).reversed()
}

/// A valid set with 3 training and 2 test images of 2 rows and 4 columns; pixels count up from 0.
struct TinySet {
    var trainImages = idx([3, 2, 4], Array(0..<24))
    var trainLabels = idx([3], [2, 0, 9])
    var testImages = idx([2, 2, 4], Array(24..<40))
    var testLabels = idx([2], [1, 3])

    func write(to folder: TemporaryFolder, prefix: String = "", compressed: Bool = false) throws {
        let pack = compressed ? gzip : { $0 }
        let suffix = compressed ? ".gz" : ""
        try folder.write(pack(trainImages), to: "\(prefix)train-images-idx3-ubyte\(suffix)")
        try folder.write(pack(trainLabels), to: "\(prefix)train-labels-idx1-ubyte\(suffix)")
        try folder.write(pack(testImages), to: "\(prefix)t10k-images-idx3-ubyte\(suffix)")
        try folder.write(pack(testLabels), to: "\(prefix)t10k-labels-idx1-ubyte\(suffix)")
    }
}

extension ImageDataset {
    /// The images of a data set in memory.
    var stored: StoredImages {
        get throws {
            guard case .stored(let images) = images else { throw NoImages() }
            return images
        }
    }

    private struct NoImages: Error {}

    func whole(_ height: Int, _ width: Int) -> Preparation {
        Preparation(stretchingTo: height, width, channels: channels)
    }
}

extension Sequence<LoadedBatch> {
    var labels: [Int32] { flatMap { $0.images?.labels ?? [] } }
    var values: [Float] { flatMap { $0.images?.values ?? [] } }
    var counts: [Int] { map { $0.images?.count ?? 0 } }
}

/// Random images with labels that count 0...9 again and again.
func randomDataset(count: Int, height: Int = 7, width: Int = 5, channels: Int = 1) -> ImageDataset {
    ImageDataset(
        name: "random", height: height, width: width, channels: channels,
        pixels: (0..<count * height * width * channels).map { _ in .random(in: 0...255) },
        labels: (0..<count).map { UInt8($0 % 10) }, classNames: (0..<10).map(String.init))
}
