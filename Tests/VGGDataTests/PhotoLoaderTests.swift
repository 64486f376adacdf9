import Foundation
import Testing
import VGGData
import VGGFiles
import VGGImages
import VGGTestSupport

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
