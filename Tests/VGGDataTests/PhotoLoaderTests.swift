import Foundation
import Testing
import VGGData
import VGGFiles
import VGGImages

@Suite struct PhotoLoaderTests {
    /// A PNG of one pixel, (51, 102, 204), written by Pillow 13.
    private let onePixel =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGMwTjsDAAI1AWaKkkQyAAAAAElFTkSuQmCC"

    @Test(
        .enabled(if: ImageFormat.png.isSupported), arguments: [(1, 1, 1), (2, 3, 2), (3, 1, 4), (50, 3, 2)])
    func photosKeepTheirOrder(batchSize: Int, prefetch: Int, threads: Int) throws {
        let folder = try TemporaryFolder()
        let bytes = [UInt8](try #require(Data(base64Encoded: onePixel)))
        let names = (0..<11).map { "\(folder.path)/\($0).png" }
        for index in 0..<11 where index % 4 != 1 { try folder.write(bytes, to: "\(index).png") }

        let batches = Array(
            PhotoLoader(
                names, preprocessing: try .plain(2), batchSize: batchSize, prefetch: prefetch,
                threads: threads))
        #expect(batches.flatMap { $0.entries.map(\.file) } == names)
        for batch in batches {
            for entry in batch.entries {
                let isMissing = names.enumerated().contains { $0 % 4 == 1 && $1 == entry.file }
                #expect((entry.problem != nil) == isMissing)
                #expect(entry.problem?.path ?? entry.file == entry.file)
            }
            let pixel: [Float] = [51 / 255, 102 / 255, 204 / 255]
            #expect(batch.images == (0..<batch.count * 4).flatMap { _ in pixel })
        }
        #expect(batches.reduce(0) { $0 + $1.count } == 8)
    }

    @Test func nothingIsNoBatch() throws {
        #expect(Array(PhotoLoader([], preprocessing: .imageNet, batchSize: 4)).isEmpty)
    }
}

@Suite struct ClassNamesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> [String] {
        try folder.write(Array(text.utf8), to: "names")
        return try ClassNames.read("\(folder.path)/names")
    }

    @Test func namesAreLinesOrJSON() throws {
        #expect(
            try read("tench\n great white shark \r\n\nhen\n\n") == ["tench", "great white shark", "", "hen"])
        #expect(try read(" [\"tench\", \"hen\"]") == ["tench", "hen"])
        #expect(try read("{\"1\": [\"n2\", \"hen\"], \"0\": [\"n1\", \"tench\"]}") == ["tench", "hen"])
        #expect(try read("{\"0\": \"tench\"}") == ["tench"])
    }

    @Test(arguments: [
        ("", "is empty"), ("\n \n", "is empty"), ("{", "is neither"), ("[1]", "is neither"),
        ("{\"1\": \"hen\"}", "class 0"), ("{\"0\": [\"hen\"]}", "class 0"),
        (String(repeating: "[", count: 100_000), "is neither"),
    ]) func refusesWhatHasNoNames(_ text: String, _ says: String) throws {
        let error = #expect(throws: FileError.self) { try read(text) }
        #expect(error?.reason.contains(says) == true)
    }

    @Test func refusesWhatIsNoText() throws {
        try folder.write([0xFF, 0xFE, 0x00], to: "names")
        #expect(throws: FileError.self) { try ClassNames.read("\(folder.path)/names") }
        #expect(throws: FileError.self) { try ClassNames.read("\(folder.path)/missing") }
    }
}
