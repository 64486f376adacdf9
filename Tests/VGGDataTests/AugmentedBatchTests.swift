import Testing
import VGGData
import VGGImages
import VGGModel

/// Batches of a training whose pictures are changed.
@Suite struct AugmentedBatchTests {
    private let everything = Augmentation(
        crop: .padded(RandomCrop(padding: 2, mode: .reflect)), flip: RandomFlip(alternates: true),
        usesTrivialAugment: true, jitter: ColorJitter(brightness: 0.4, contrast: 0.4, hue: 0.1),
        erasing: RandomErasing(probability: 0.7, mode: .pixel, count: 2))

    private func preparation(_ dataset: ImageDataset, _ augmentation: Augmentation?) -> Preparation {
        var preparation = dataset.whole(12, 10)
        preparation.augmentation = augmentation
        return preparation
    }

    /// The images of an epoch, in the order of the data set.
    private func images(
        _ dataset: ImageDataset, _ augmentation: Augmentation?, order: ExampleOrder = .stored,
        seed: UInt64 = 3, epoch: Int = 1, batchSize: Int = 5, threads: Int = 1
    ) throws -> [[Float]] {
        let size = 120 * dataset.channels
        var images = [[Float]](repeating: [], count: dataset.count)
        for batch in BatchLoader(
            dataset, preparation(dataset, augmentation), batchSize: batchSize, order: order, seed: seed,
            epoch: epoch, threads: threads)
        {
            let values = try #require(batch.images).values
            for (place, example) in batch.examples.enumerated() {
                images[example] = Array(values[place * size..<(place + 1) * size])
            }
        }
        return images
    }

    /// An image depends on the seed, the epoch and its number, and on nothing else.
    @Test func neitherThreadsNorOrderChangeAnImage() throws {
        let dataset = randomDataset(count: 23, channels: 3)
        let expected = try images(dataset, everything)
        #expect(try images(dataset, everything, batchSize: 3, threads: 4) == expected)
        let shuffled = ExampleOrder.shuffled(seed: 9, epoch: 4)
        #expect(try images(dataset, everything, order: shuffled, threads: 2) == expected)
        let others = [
            try images(dataset, nil), try images(dataset, everything, seed: 4),
            try images(dataset, everything, epoch: 2),
        ]
        for (other, index) in others.flatMap({ images in images.indices.map { (images[$0], $0) } }) {
            #expect(other != expected[index])
        }
    }

    /// The parts of an augmentation follow each other as they are listed.
    @Test(arguments: [1, 3]) func partsFollowEachOther(_ channels: Int) throws {
        let dataset = randomDataset(count: 9, height: 12, width: 10, channels: channels)
        let found = try images(dataset, everything)
        for index in 0..<9 {
            let draw = ExampleDraw(seed: 3, epoch: 1, example: index)
            var pixels = try dataset.images.pixels(at: index)
            let crop = RandomCrop(padding: 2, mode: .reflect)
            pixels = pixels.cropped(to: crop.window(height: 12, width: 10, draw), beyond: .reflect)
            let directions = RandomFlip(alternates: true).directions(draw)
            pixels = pixels.flipped(
                horizontally: directions.horizontally, vertically: directions.vertically)
            pixels = pixels.applying(TrivialAugmentWide.operation(draw))
            for operation in try #require(everything.jitter).operations(draw) {
                pixels = pixels.applying(operation)
            }
            var values = dataset.whole(12, 10).input(from: pixels).values
            let erasing = try #require(everything.erasing)
            for erasure in erasing.erasures(height: 12, width: 10, channels: channels, draw) {
                var span = values.mutableSpan
                erasure.apply(to: &span, channels: channels, height: 12, width: 10)
            }
            #expect(found[index] == values, "image \(index)")
        }
    }

    /// A part of the whole picture is resized, not of the frame.
    @Test func resizedPartsAreOfTheWholePicture() throws {
        let bytes = (0..<50 * 20 * 3).map { _ in UInt8.random(in: 0...255) }
        let pixels = Pixels(height: 50, width: 20, channels: 3, bytes: bytes[...])
        let crop = RandomResizedCrop(scale: 0.3...0.9)
        let dataset = ImageDataset(
            name: "one", height: 50, width: 20, channels: 3, pixels: bytes, labels: [0], classNames: ["0"])
        let found = try images(dataset, Augmentation(crop: .resized(crop)))
        let window = crop.window(height: 50, width: 20, ExampleDraw(seed: 3, epoch: 1, example: 0))
        let part = pixels.resized(window, toHeight: 12, width: 10)
        #expect(found[0] == dataset.whole(12, 10).input(from: part).values)
    }

    /// Batches are mixed as soon as they are made, the same on any number of threads and from any beginning.
    @Test func batchesAreMixed() throws {
        let dataset = randomDataset(count: 11, channels: 3)
        let mixing = BatchMixing(mixup: 0.4, cutmix: 1, probability: 0.8, mode: .elem)
        func batches(_ mixing: BatchMixing?, threads: Int = 1, from start: Int = 0) -> [LoadedBatch] {
            var loader = BatchLoader(
                dataset, preparation(dataset, everything), batchSize: 4, seed: 3, epoch: 1, startBatch: start,
                threads: threads)
            loader.mixing = mixing
            return Array(loader)
        }
        let mixed = batches(mixing)
        #expect(batches(mixing, threads: 3) == mixed && batches(mixing, from: 1) == Array(mixed[1...]))
        for (batch, plain) in zip(mixed, batches(nil)) {
            let (images, before) = (try #require(batch.images), try #require(plain.images))
            let mixtures = mixing.mixtures(
                BatchDraws(seed: 3, epoch: 1, batch: batch.index), count: before.count, height: 12, width: 10)
            #expect(Set(mixtures).count > 1)
            var values = before.values
            mixtures.mix(&values, channels: 3, height: 12, width: 10)
            #expect(images.values == values && values != before.values)
            #expect(images.labels == before.labels && before.partners == nil)
            #expect(images.partners == mixtures.partners(try #require(before.labels)))
        }
        // A batch that nothing is drawn for is as it was.
        #expect(batches(BatchMixing(mixup: 1, probability: 0)) == batches(nil))
    }

    /// What is not drawn for is not changed: a test, a prediction, a look at an example.
    @Test func withoutADrawNothingChanges() throws {
        let dataset = randomDataset(count: 3)
        let plain = try dataset.example(at: 1, preparation(dataset, nil))
        #expect(try dataset.example(at: 1, preparation(dataset, everything)) == plain)
    }
}
