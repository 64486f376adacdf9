import Foundation
import VGGFiles

/// The binary version of CIFAR-10 (Krizhevsky 2009; https://www.cs.toronto.edu/~kriz/cifar.html): files of 10,000
/// records, each the number of the class and a picture of 32×32 pixels, plane by plane: red, green, blue.
package struct CIFAR10 {
    static let classNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]
    private static let side = 32
    private static let planeSize = side * side
    private static let recordSize = 1 + 3 * planeSize

    let folder: String
    /// Of a file; only tests have others than the published number.
    private let records: Int

    /// - Parameter folder: `cifar-10-batches-bin`, or the one that holds it.
    /// - Throws: `FileError` if neither holds the files.
    package init(_ folder: String, recordsPerFile: Int = 10_000) throws(FileError) {
        let files = FileManager.default
        let candidates = [folder, "\(folder)/cifar-10-batches-bin"]
        guard let found = candidates.first(where: { files.fileExists(atPath: "\($0)/test_batch.bin") }) else {
            let isPython = ["", "/cifar-10-batches-py"].contains {
                files.fileExists(atPath: "\(folder)\($0)/test_batch")
            }
            throw FileError(
                folder,
                (isPython ? "holds the Python version of CIFAR-10" : "has no file test_batch.bin")
                    + "; unpack cifar-10-binary.tar.gz and give its folder cifar-10-batches-bin")
        }
        self.folder = found
        records = recordsPerFile
    }

    /// - Throws: `FileError` if a file cannot be read, `DatasetError` if one is not what it should be.
    package func load() throws -> DatasetSplits {
        try checkClassNames()
        return DatasetSplits(
            train: try dataset((1...5).map { "data_batch_\($0).bin" }),
            test: try dataset(["test_batch.bin"]), folder: folder, isVerified: false)
    }

    private func contents(_ name: String) throws(FileError) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: "\(folder)/\(name)"), options: .mappedIfSafe)
        } catch {
            throw FileError("\(folder)/\(name)", "cannot be read; check that the file exists and may be read")
        }
    }

    private func checkClassNames() throws {
        let name = "batches.meta.txt"
        let lines = String(decoding: try contents(name).prefix(1000), as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).map(String.init)
        guard lines == Self.classNames else {
            throw DatasetError.malformedFile(
                path: "\(folder)/\(name)", reason: "does not name CIFAR-10's classes")
        }
    }

    private func dataset(_ names: [String]) throws -> ImageDataset {
        var pixels: [UInt8] = []
        var labels: [UInt8] = []
        for name in names {
            let file = try contents(name)
            let size = records * Self.recordSize
            guard file.count == size else {
                throw DatasetError.malformedFile(
                    path: "\(folder)/\(name)", reason: "has \(file.count) bytes, not \(size) as it should")
            }
            // After the check of the size, so that no more memory is taken than the files justify.
            pixels.reserveCapacity(names.count * records * 3 * Self.planeSize)
            try file.withUnsafeBytes { bytes in
                for record in 0..<records {
                    let start = record * Self.recordSize
                    let label = bytes[start]
                    guard label < Self.classNames.count else {
                        throw DatasetError.labelOutOfRange(
                            path: "\(folder)/\(name)", index: record, label: Int(label),
                            allowed: 0...Self.classNames.count - 1)
                    }
                    labels.append(label)
                    for pixel in start + 1..<start + 1 + Self.planeSize {
                        pixels.append(bytes[pixel])
                        pixels.append(bytes[pixel + Self.planeSize])
                        pixels.append(bytes[pixel + 2 * Self.planeSize])
                    }
                }
            }
        }
        return ImageDataset(
            name: "cifar10", height: Self.side, width: Self.side, channels: 3, pixels: pixels, labels: labels,
            classNames: Self.classNames)
    }
}
