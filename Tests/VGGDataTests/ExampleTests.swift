import Testing
import VGGData
import VGGImages

@Suite struct ExampleTests {
    @Test func examplesAreResizedAndScaled() throws {
        let dataset = randomDataset(count: 3, height: 28, width: 28)
        let example = try dataset.example(at: 2, dataset.whole(32, 30))
        let resized = Resampler(height: 28, width: 28, toHeight: 32, width: 30, channels: 1)
            .resize(Array(try dataset.stored.bytes.suffix(784)))
        #expect(example.values == resized.map { Float($0) / 255 } && example.labels == [2])
    }

    @Test(arguments: [-1, 3]) func namesAnIndexOutOfRange(index: Int) {
        let dataset = randomDataset(count: 3)
        let error = #expect(throws: DatasetError.indexOutOfRange(index, dataset: "random", count: 3)) {
            try dataset.example(at: index, dataset.whole(8, 8))
        }
        #expect(error?.description == "there is no example \(index): random has 3, counted from 0 to 2")
    }

    @Test func prefixKeepsTheFirstExamples() throws {
        let dataset = randomDataset(count: 5)
        let prefix = dataset.prefix(2)
        #expect(prefix.count == 2 && prefix.labels == [0, 1])
        #expect(try prefix.stored.bytes == Array(dataset.stored.bytes.prefix(70)))
        #expect(prefix.classNames == dataset.classNames)
        #expect(dataset.prefix(9).count == 5)
    }
}
