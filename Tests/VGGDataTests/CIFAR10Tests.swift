import Foundation
import Testing
import VGGData
import VGGFiles
import VGGModel
import VGGTestSupport

/// Files in the layout that https://www.cs.toronto.edu/~kriz/cifar.html describes, with two records each.
@Suite struct CIFAR10Tests {
    let folder: TemporaryFolder
    private let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
    private let classNames = "airplane automobile bird cat deer dog frog horse ship truck"

    init() throws { folder = try TemporaryFolder() }

    /// The bytes of a record's plane: the same in no two planes of a file.
    private func plane(_ file: Int, _ record: Int, _ colour: Int) -> [UInt8] {
        (0..<1024).map { UInt8(truncatingIfNeeded: $0 * 7 + file * 31 + record * 11 + colour * 101) }
    }

    private func bytes(_ file: Int) -> [UInt8] {
        (0..<2).flatMap { record in
            [UInt8(file + record)] + (0..<3).flatMap { plane(file, record, $0) }
        }
    }

    private func writeFiles() throws {
        for (file, name) in names.enumerated() { try folder.write(bytes(file), to: name) }
        try writeNames(classNames.replacing(" ", with: "\n") + "\n\n")
    }

    private func writeNames(_ text: String) throws {
        try folder.write(Array(text.utf8), to: "batches.meta.txt")
    }

    private func load() throws -> DatasetSplits { try CIFAR10(folder.path, recordsPerFile: 2).load() }

    @Test func putsColoursTogether() throws {
        try writeFiles()
        let splits = try load()
        #expect(splits.train.labels == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5] && splits.test.labels == [5, 6])
        #expect(splits.train.images.shape == .map(channels: 3, height: 32, width: 32))
        #expect(splits.train.classNames == classNames.split(separator: " ").map(String.init))
        let pixels = Array(try splits.train.images.pixels(at: 7).bytes)
        for colour in 0..<3 {
            let found = stride(from: colour, to: 3072, by: 3).map { pixels[$0] }
            #expect(found == plane(3, 1, colour))
        }
        let example = try splits.test.example(at: 0, splits.test.whole(32, 32))
        for colour in 0..<3 { #expect(example.values[colour * 1024] == Float(plane(5, 0, colour)[0]) / 255) }
    }

    @Test func findsTheFolderInTheOneThatHoldsIt() throws {
        try writeFiles()
        let inner = "\(folder.path)/cifar-10-batches-bin"
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
        for name in names + ["batches.meta.txt"] {
            try FileManager.default.moveItem(atPath: "\(folder.path)/\(name)", toPath: "\(inner)/\(name)")
        }
        #expect(try load().folder == inner)
    }

    @Test(arguments: [0, 1, 3072, 3073, 6145, 6147]) func namesFilesOfTheWrongSize(size: Int) throws {
        for (file, name) in names.enumerated() where file % 2 == 1 {
            try writeFiles()
            try folder.write(Array((bytes(file) + [0]).prefix(size)), to: name)
            let reason = "has \(size) bytes, not 6146 as it should"
            #expect(throws: DatasetError.malformedFile(path: "\(folder.path)/\(name)", reason: reason)) {
                try load()
            }
        }
    }

    @Test func namesALabelOutOfRange() throws {
        try writeFiles()
        var wrong = bytes(2)
        wrong[3073] = 10
        try folder.write(wrong, to: names[2])
        #expect(
            throws: DatasetError.labelOutOfRange(
                path: "\(folder.path)/data_batch_3.bin", index: 1, label: 10, allowed: 0...9)
        ) { try load() }
    }

    @Test func namesWhatIsMissing() throws {
        let empty = #expect(throws: FileError.self) { try load() }
        #expect(empty?.path == folder.path && empty?.reason.contains("cifar-10-binary.tar.gz") == true)
        try folder.write([], to: "test_batch")
        #expect(#expect(throws: FileError.self) { try load() }?.reason.contains("Python version") == true)
        try writeFiles()
        try folder.remove("data_batch_4.bin")
        #expect(
            #expect(throws: FileError.self) { try load() }?.path == "\(folder.path)/data_batch_4.bin")
        try writeFiles()
        for text in ["", "apple\nfish\n", classNames + " zebra"] {
            try writeNames(text)
            #expect(throws: DatasetError.self) { try load() }
        }
        try folder.remove("batches.meta.txt")
        #expect(throws: FileError.self) { try load() }
        #expect(throws: DatasetError.folderMissing(name: "cifar10")) { try DatasetStore().load("cifar10") }
    }

    @Test func loadsFilesOfThePublishedSize() throws {
        try writeFiles()
        #expect(throws: DatasetError.self) { try DatasetStore().load("cifar10", from: folder.path) }
        for name in names { #expect(truncate("\(folder.path)/\(name)", 30_730_000) == 0) }
        let splits = try DatasetStore().load("cifar10", from: folder.path)
        #expect(splits.train.count == 50_000 && splits.test.count == 10_000)
        #expect(DatasetStore.classNames(of: "cifar10") == splits.train.classNames)
    }
}
