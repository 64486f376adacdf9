import Foundation
import Testing
import VGGData
import VGGImages

@Suite struct BatchLoaderTests {
    let dataset = randomDataset(count: 23, height: 7, width: 5, channels: 2)

    @Test func deliversTheExamplesInOrder() throws {
        let batches = Array(BatchLoader(dataset, dataset.whole(9, 4), batchSize: 10))
        #expect(batches.map(\.index) == [0, 1, 2] && batches.counts == [10, 10, 3])
        #expect(batches.labels == dataset.labels.map(Int32.init))
        let expected = try (0..<23).flatMap { try dataset.example(at: $0, dataset.whole(9, 4)).values }
        #expect(batches.values == expected)
    }

    @Test func shufflesAsTheOrderSays() throws {
        let order = ExampleOrder.shuffled(seed: 5, epoch: 2)
        let batches = Array(BatchLoader(dataset, dataset.whole(7, 5), batchSize: 4, order: order))
        let indices = order.indices(count: 23)
        #expect(batches.labels == indices.map { Int32(dataset.labels[$0]) })
        let expected = try indices.flatMap { try dataset.example(at: $0, dataset.whole(7, 5)).values }
        #expect(batches.values == expected)
    }

    @Test(arguments: [(1, 1), (1, 4), (2, 3), (5, 2), (3, 50)])
    func threadsAndPrefetchChangeNothing(threads: Int, prefetch: Int) {
        func batches(_ threads: Int, _ prefetch: Int) -> [LoadedBatch] {
            Array(
                BatchLoader(
                    dataset, dataset.whole(12, 11), batchSize: 2, order: .shuffled(seed: 1, epoch: 0),
                    prefetch: prefetch, threads: threads))
        }
        #expect(batches(threads, prefetch) == batches(2, 2))
    }

    @Test func startingLateDeliversTheTail() {
        func batches(from start: Int) -> [LoadedBatch] {
            Array(
                BatchLoader(
                    dataset, dataset.whole(8, 8), batchSize: 5, order: .shuffled(seed: 9, epoch: 1),
                    startBatch: start))
        }
        let all = batches(from: 0)
        #expect(all.count == 5)
        for start in 0...5 { #expect(batches(from: start) == Array(all[start...])) }
        #expect(batches(from: 7).isEmpty)
    }

    @Test func aBatchLargerThanTheDataIsTheWholeData() {
        let batches = Array(BatchLoader(dataset, dataset.whole(7, 5), batchSize: 100))
        #expect(batches.counts == [23])
    }

    @Test(arguments: [0, 1, 4, 23]) func theThreadsEndWhenIterationStops(taken: Int) async throws {
        weak var pipeline: BatchPipeline<LoadedBatch>?
        do {
            let iterator = BatchLoader(dataset, dataset.whole(16, 16), batchSize: 1, threads: 3)
                .makeIterator()
            pipeline = iterator.pipeline
            for index in 0..<taken { #expect(iterator.next()?.index == index) }
            if taken == 23 { #expect(iterator.next() == nil && iterator.next() == nil) }
        }
        // Each thread holds the pipeline, so it is gone when all of them have ended.
        let deadline = ContinuousClock.now + .seconds(20)
        while pipeline != nil, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(pipeline == nil)
    }

    @Test func manyLoadersStopEarlyWithoutDeadlock() {
        for round in 0..<200 {
            for batch in BatchLoader(dataset, dataset.whole(4, 4), batchSize: 2, prefetch: 1 + round % 3)
            where batch.index == round % 5 {
                break
            }
        }
    }
}

@Suite struct ExampleOrderTests {
    /// The order a run was shuffled with must stay what it is, or runs could not be resumed. The expected
    /// values come from an independent implementation in Python, checked against Philox's published vectors.
    @Test func isFisherAndYatesWithPhilox() {
        #expect(
            ExampleOrder.shuffled(seed: 1, epoch: 2).indices(count: 10) == [7, 9, 8, 6, 4, 3, 1, 0, 5, 2])
        #expect(
            ExampleOrder.shuffled(seed: 1, epoch: 3).indices(count: 10) == [3, 4, 5, 6, 1, 0, 8, 9, 2, 7])
        #expect(
            ExampleOrder.shuffled(seed: 2, epoch: 2).indices(count: 10) == [0, 4, 9, 8, 2, 1, 5, 7, 3, 6])
        #expect(ExampleOrder.stored.indices(count: 4) == [0, 1, 2, 3])
    }

    @Test(arguments: [0, 1, 2, 1000]) func isAPermutation(count: Int) {
        let indices = ExampleOrder.shuffled(seed: .max, epoch: 7).indices(count: count)
        #expect(indices.sorted() == Array(0..<count))
    }

    /// Each of 5 examples comes first about equally often: 2000 ± 6 standard deviations of 40.
    @Test func favoursNoExample() {
        var firsts = [Int](repeating: 0, count: 5)
        for epoch in 0..<10_000 {
            firsts[ExampleOrder.shuffled(seed: 3, epoch: epoch).indices(count: 5)[0]] += 1
        }
        #expect(firsts.allSatisfy { abs($0 - 2000) < 240 })
    }
}
