import VGGFiles
import VGGImages
import VGGModel

/// Examples that are processed together.
public struct LoadedBatch: Hashable, Sendable {
    /// Which step of the epoch this is, counted from 0.
    public let index: Int
    /// The examples' numbers in their source, in the order of the batch.
    public let examples: [Int]
    /// Why examples have no image: files that cannot be read. Images in memory have no problems.
    public let problems: [Int: FileError]
    /// The images of all others, in their order, with their labels where these are known; nil if there are none.
    public let images: ImageBatch?
    /// Of the whole batch, where a part of it is delivered.
    package var batchLabels: [Int32]?

    /// The problem of the first example that has one.
    public var firstProblem: FileError? { examples.lazy.compactMap { problems[$0] }.first }
}

/// The batches of one epoch, made on background threads while the ones before are being used: for training and testing,
/// and for photos that are only looked at.
///
///     for batch in BatchLoader(dataset, preparation, batchSize: 128) { … }
///
/// What a batch holds depends only on the images and on the properties here, not on the threads. The last batch is
/// smaller if the examples do not fill it. A file that cannot be read does not stop the others; whether it is the end of
/// everything, the caller knows. Iteration may stop at any batch; the background work then ends by itself.
public struct BatchLoader: Sequence, Sendable {
    /// Image i is that of example i.
    public let images: ImageSource
    /// nil where they are not known.
    public let labels: [UInt16]?
    /// From an example's bytes to the network's input.
    public let preparation: Preparation
    /// Images in a batch; the last one of an epoch may have fewer.
    public let batchSize: Int
    /// Which example comes when.
    public let order: ExampleOrder
    /// What an augmentation draws from, with the epoch and each example's number.
    public let seed: UInt64
    /// The epoch, which an augmentation draws from too.
    public let epoch: Int
    /// The first batch to deliver; the ones before are not even made.
    public let startBatch: Int
    /// How many batches are made ahead at most; this bounds the memory.
    public let prefetch: Int
    /// That make the images of a batch.
    public let threads: Int
    /// How the images of a batch are mixed with each other; nil for not at all. It needs labels and maps, and draws from the
    /// seed, the epoch and the batch's place.
    package var mixing: BatchMixing?
    /// Which images of a batch are delivered, given how many it has; nil for all. So several processes share batches out: each
    /// makes its own images only, unless they are mixed with others.
    package var part: (@Sendable (_ count: Int) -> Range<Int>)?

    /// - Precondition: `batchSize`, `prefetch` and `threads` are positive, `startBatch` is not negative, and there are as
    ///   many labels as images.
    public init(
        _ images: ImageSource, labels: [UInt16]? = nil, _ preparation: Preparation, batchSize: Int,
        order: ExampleOrder = .stored, seed: UInt64 = 0, epoch: Int = 0, startBatch: Int = 0,
        prefetch: Int = defaultPrefetch, threads: Int = 2
    ) {
        precondition(
            Swift.min(batchSize, prefetch, threads) > 0 && startBatch >= 0, "sizes must be positive")
        precondition(labels.map { $0.count == images.count } ?? true, "every image has a label, or none has")
        self.images = images
        self.labels = labels
        self.preparation = preparation
        self.batchSize = batchSize
        self.order = order
        self.seed = seed
        self.epoch = epoch
        self.startBatch = startBatch
        self.prefetch = prefetch
        self.threads = threads
    }

    /// The same for labelled images.
    public init(
        _ dataset: ImageDataset, _ preparation: Preparation, batchSize: Int, order: ExampleOrder = .stored,
        seed: UInt64 = 0, epoch: Int = 0, startBatch: Int = 0, prefetch: Int = defaultPrefetch,
        threads: Int = 2
    ) {
        self.init(
            dataset.images, labels: dataset.labels, preparation, batchSize: batchSize, order: order,
            seed: seed, epoch: epoch, startBatch: startBatch, prefetch: prefetch, threads: threads)
    }

    /// Batches that are made ahead where nothing is said.
    public static let defaultPrefetch = 3

    /// Bytes of the batches that exist at once: those made ahead, and the one in use.
    /// - Parameter input: of the network, an image's shape.
    public static func bytes(of input: Shape, batchSize: Int) -> Int {
        (defaultPrefetch + 1) * batchSize * input.count * MemoryLayout<Float>.stride
    }

    /// How many batches a whole epoch has, those before `startBatch` included.
    public var batchCount: Int { images.count / batchSize + (images.count % batchSize == 0 ? 0 : 1) }

    /// Batches that will be delivered.
    public var underestimatedCount: Int { Swift.max(0, batchCount - startBatch) }

    /// Starts the background work.
    public func makeIterator() -> Iterator { Iterator(self) }

    /// Delivers the batches in order; the background work ends with it.
    public final class Iterator: IteratorProtocol {
        package let pipeline: BatchPipeline<LoadedBatch>
        private var step: Int
        private let end: Int

        fileprivate init(_ loader: BatchLoader) {
            step = loader.startBatch
            end = loader.batchCount
            let maker = BatchMaker(loader)
            // A late start may lie behind the end.
            pipeline = BatchPipeline(
                Swift.min(step, end)..<end, prefetch: loader.prefetch, threads: loader.threads,
                make: maker.batch)
        }

        deinit { pipeline.cancel() }

        /// The next batch, waiting for it if it is not ready; nil after the last.
        public func next() -> LoadedBatch? {
            guard step < end else { return nil }
            defer { step += 1 }
            return pipeline.take(step)
        }
    }
}

/// Everything that is needed to make any batch of an epoch.
private struct BatchMaker: Sendable {
    private let loader: BatchLoader
    private let order: [Int]
    /// nil where each image has a size of its own, or what is found in it has.
    private let resampler: Resampler?

    init(_ loader: BatchLoader) {
        self.loader = loader
        order = loader.order.indices(count: loader.images.count)
        resampler =
            if case .map(_, let height, let width) = loader.images.shape, loader.preparation.subject == nil {
                loader.preparation.resampler(
                    height: height, width: width, channels: loader.preparation.channels)
            } else { nil }
    }

    func batch(_ index: Int) -> LoadedBatch {
        let all = Array(order[(index * loader.batchSize)...].prefix(loader.batchSize))
        guard let part = loader.part?(all.count) else { return batch(index, of: all) }
        let labels = loader.labels.map { labels in all.map { Int32(labels[$0]) } }
        guard loader.mixing != nil else {
            var batch = batch(index, of: Array(all[part]))
            batch.batchLabels = labels
            return batch
        }
        // An image's partner may be in another part.
        let whole = batch(index, of: all)
        return LoadedBatch(
            index: index, examples: Array(all[part]), problems: whole.problems,
            images: part.isEmpty || !whole.problems.isEmpty ? nil : whole.images?[part], batchLabels: labels)
    }

    private func batch(_ index: Int, of examples: [Int]) -> LoadedBatch {
        let shape = loader.preparation.shape
        let size = shape.count
        var problems: [Int: FileError] = [:]
        var values = [Float](unsafeUninitializedCapacity: examples.count * size) { values, count in
            for example in examples {
                do throws(FileError) {
                    loader.preparation.write(
                        try loader.images.pixels(at: example, alpha: loader.preparation.alpha),
                        to: UnsafeMutableBufferPointer(rebasing: values[count..<count + size]),
                        by: resampler,
                        draw: ExampleDraw(seed: loader.seed, epoch: loader.epoch, example: example))
                    count += size
                } catch {
                    problems[example] = error
                }
            }
        }
        let whole = problems.isEmpty ? examples : examples.filter { problems[$0] == nil }
        let labels = loader.labels.map { labels in whole.map { Int32(labels[$0]) } }
        let partners = mix(&values, labels, shape, batch: index)
        return LoadedBatch(
            index: index, examples: examples, problems: problems,
            images: whole.isEmpty
                ? nil
                : ImageBatch(
                    checked: values, count: whole.count, shape: shape, labels: labels, partners: partners))
    }

    /// Mixes a batch's images, if the loader is to.
    /// - Returns: what each is mixed with.
    private func mix(
        _ values: inout [Float], _ labels: [Int32]?, _ shape: Shape, batch: Int
    ) -> [MixingPartner]? {
        guard let mixing = loader.mixing, let labels, case .map(let channels, let height, let width) = shape
        else { return nil }
        let draws = BatchDraws(seed: loader.seed, epoch: loader.epoch, batch: batch)
        let mixtures = mixing.mixtures(draws, count: labels.count, height: height, width: width)
        guard mixtures.contains(where: { $0 != nil }) else { return nil }
        mixtures.mix(&values, channels: channels, height: height, width: width)
        return mixtures.partners(labels)
    }
}
