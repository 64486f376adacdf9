import Testing
import VGGData
import VGGImages

/// Images in memory that are prepared as photos are.
@Suite struct PreparedImagesTests {
    /// The bytes of one image as those of a photo, grey as three times the same.
    private func photo(_ dataset: ImageDataset, _ index: Int) throws -> RGBImage {
        let bytes = try dataset.pixels(at: index)
        let isGrey = bytes.count == dataset.height * dataset.width
        return RGBImage(
            width: dataset.width, height: dataset.height,
            pixels: isGrey ? bytes.flatMap { [$0, $0, $0] } : Array(bytes))
    }

    /// Every kind of picture for every kind of network: what torchvision makes of the photo, as PreprocessingTests shows.
    @Test(arguments: [1, 3], [Preprocessing.Channels.grey, .rgb, .bgr])
    func imagesAreLikePhotos(_ stored: Int, _ channels: Preprocessing.Channels) throws {
        let preprocessing = try Preprocessing(
            resize: 11, size: 8, channels: channels, range: .byte,
            mean: [100, 110, 120].prefix(channels.count).map { $0 },
            std: [50, 60, 70].prefix(channels.count).map { $0 })
        let dataset = randomDataset(count: 13, height: 9, width: 12, channels: stored)
        let prepared = dataset.prepared(by: preprocessing).limited(to: 12)
        #expect(prepared.channels == channels.count && prepared.preprocessing == preprocessing)
        let batches = Array(BatchLoader(prepared, height: 8, width: 8, batchSize: 5))
        #expect(batches.map(\.count) == [5, 5, 2])
        let expected = try (0..<12).map { preprocessing.input(from: try photo(dataset, $0)) }
        #expect(batches.flatMap(\.images) == expected.flatMap { $0 })
        #expect(try prepared.example(at: 7, height: 8, width: 8).image == expected[7])
        // The bytes are as they were.
        #expect(try prepared.pixels(at: 3) == dataset.pixels(at: 3))
    }

    /// A preparation that does nothing leaves the images resized as a whole.
    @Test func plainIsAsItIs() throws {
        let dataset = randomDataset(count: 2, height: 9, width: 12, channels: 3)
        let plain = dataset.prepared(by: .imageNet).prepared(by: try .plain(8))
        #expect(plain.preprocessing == nil)
        #expect(try plain.example(at: 1, height: 8, width: 6) == dataset.example(at: 1, height: 8, width: 6))
        #expect(try dataset.prepared(by: .plain(8, channels: .grey)).channels == 1)
        #expect(try dataset.prepared(by: .plain(8).resized(to: 9)).preprocessing == nil)
    }
}
