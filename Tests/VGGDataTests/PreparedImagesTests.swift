import Testing
import VGGData
import VGGImages
import VGGModel

/// Images in memory that are prepared as photos are.
@Suite struct PreparedImagesTests {
    /// The bytes of one image as those of a photo, grey as three times the same.
    private func photo(_ dataset: ImageDataset, _ index: Int) throws -> RGBImage {
        let pixels = try dataset.images.pixels(at: index)
        return RGBImage(
            width: pixels.width, height: pixels.height,
            pixels: pixels.channels == 1 ? pixels.bytes.flatMap { [$0, $0, $0] } : Array(pixels.bytes))
    }

    /// Every kind of picture for every kind of network: what torchvision makes of the photo, as PreprocessingTests shows.
    @Test(arguments: [1, 3], [Preprocessing.Channels.grey, .rgb, .bgr])
    func imagesAreLikePhotos(_ stored: Int, _ channels: Preprocessing.Channels) throws {
        let preprocessing = try Preprocessing(
            resize: 11, size: 8, channels: channels, range: .byte,
            mean: [100, 110, 120].prefix(channels.count).map { $0 },
            std: [50, 60, 70].prefix(channels.count).map { $0 })
        let dataset = randomDataset(count: 13, height: 9, width: 12, channels: stored).limited(to: 12)
        let preparation = dataset.preparation(preprocessing)
        #expect(preparation.channels == channels.count)
        let batches = Array(BatchLoader(dataset, preparation, batchSize: 5))
        #expect(batches.counts == [5, 5, 2])
        let expected = try (0..<12).map { preprocessing.input(from: try photo(dataset, $0)).values }
        #expect(batches.values == expected.flatMap { $0 })
        #expect(try dataset.example(at: 7, preparation).values == expected[7])
    }

    /// A preparation that does nothing leaves the images resized as a whole.
    @Test func plainIsAsItIs() throws {
        let dataset = randomDataset(count: 2, height: 9, width: 12, channels: 3)
        let plain = try Preprocessing.plain(8)
        let whole = try dataset.example(at: 1, dataset.whole(8, 8))
        #expect(try dataset.example(at: 1, dataset.preparation(plain)) == whole)
        // A photo loses what makes it no square, and so does what changes its colours.
        #expect(plain.input(from: try photo(dataset, 1)).values != whole.values)
        let grey = dataset.preparation(try .plain(8, channels: .grey))
        #expect(try dataset.example(at: 1, grey).shape == .map(channels: 1, height: 8, width: 8))
        #expect(
            try dataset.example(at: 1, dataset.preparation(.plain(8).resized(to: 9)))
                == dataset.example(at: 1, dataset.whole(9, 9)))
    }
}
