import Foundation
import Testing
import VGGData
import VGGFiles
import VGGImages
import VGGTestSupport

@Suite struct PhotoBatchTests {
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
            BatchLoader(
                .files(PhotoFiles(names: names)), Preparation(try .plain(2)), batchSize: batchSize,
                prefetch: prefetch, threads: threads))
        #expect(batches.flatMap(\.examples) == Array(0..<11))
        for batch in batches {
            for example in batch.examples {
                #expect((batch.problems[example] != nil) == (example % 4 == 1))
                #expect(batch.problems[example]?.path ?? names[example] == names[example])
            }
            let count = batch.examples.count - batch.problems.count
            let planes = [Float](
                [51, 102, 204].flatMap { [Float](repeating: $0 / 255, count: 4) })
            #expect(batch.images?.values ?? [] == (0..<count).flatMap { _ in planes })
            #expect((batch.images == nil) == (count == 0) && batch.images?.labels == nil)
        }
        #expect(batches.counts.reduce(0, +) == 8)
    }

    @Test func nothingIsNoBatch() {
        let nothing = BatchLoader(.files(PhotoFiles(names: [])), Preparation(.imageNet), batchSize: 4)
        #expect(Array(nothing).isEmpty)
    }
}
