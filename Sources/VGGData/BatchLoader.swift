import VGGFiles
import VGGModel

/// Examples that are processed together.
public struct Batch: Hashable, Sendable {
    /// Which step of the epoch this is, counted from 0.
    public let index: Int
    /// `[count, height, width, channels]`: values in 0...1, or photos as their preprocessing makes them.
    public let images: [Float]
    /// One class for each image.
    public let labels: [Int32]
    /// Why there is no batch: a file that cannot be read. The images and labels are then empty; batches of data
    /// in memory never fail.
    public let problem: FileError?

    public var count: Int { labels.count }
}

/// The batches of one epoch, made on background threads while the ones before are being used.
///
///     for batch in BatchLoader(dataset, height: 224, width: 224, batchSize: 128) { … }
///
/// What a batch holds depends only on the data set and on the properties here, not on the threads. The last
/// batch is smaller if the examples do not fill it. Iteration may stop at any batch; the background work then
/// ends by itself.
public struct BatchLoader: Sequence, Sendable {
    public let dataset: ImageDataset
    /// The size the images are resized to, in pixels.
    public let height: Int
    public let width: Int
    public let batchSize: Int
    public let order: ExampleOrder
    /// The first batch to deliver; the ones before are not even made.
    public let startBatch: Int
    /// How many batches are made ahead at most; this bounds the memory.
    public let prefetch: Int
    public let threads: Int

    /// - Precondition: sizes, `prefetch` and `threads` are positive, `startBatch` is not negative, and photos are
    ///   prepared for this size (`ImageDataset.prepared`).
    public init(
        _ dataset: ImageDataset, height: Int, width: Int, batchSize: Int, order: ExampleOrder = .stored,
        startBatch: Int = 0, prefetch: Int = defaultPrefetch, threads: Int = 2
    ) {
        precondition(
            Swift.min(height, width, batchSize, prefetch, threads) > 0 && startBatch >= 0,
            "sizes must be positive")
        self.dataset = dataset
        self.height = height
        self.width = width
        self.batchSize = batchSize
        self.order = order
        self.startBatch = startBatch
        self.prefetch = prefetch
        self.threads = threads
    }

    public static let defaultPrefetch = 3

    /// Bytes of the batches that exist at once: those made ahead, and the one in use.
    /// - Parameter input: of the network, an image's shape.
    public static func bytes(of input: Shape, batchSize: Int) -> Int {
        (defaultPrefetch + 1) * batchSize * input.count * MemoryLayout<Float>.stride
    }

    /// How many batches a whole epoch has, those before `startBatch` included.
    public var batchCount: Int { (dataset.count + batchSize - 1) / batchSize }

    public var underestimatedCount: Int { Swift.max(0, batchCount - startBatch) }

    /// Starts the background work.
    public func makeIterator() -> Iterator { Iterator(self) }

    public final class Iterator: IteratorProtocol {
        package let pipeline: BatchPipeline<Batch>
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
        public func next() -> Batch? {
            guard step < end else { return nil }
            defer { step += 1 }
            return pipeline.take(step)
        }
    }
}

/// Everything that is needed to make any batch of an epoch.
struct BatchMaker: Sendable {
    private let labels: [UInt16]
    private let batchSize: Int
    private let indices: [Int]
    private let examples: ExampleMaker

    init(_ loader: BatchLoader) {
        labels = loader.dataset.labels
        batchSize = loader.batchSize
        indices = loader.order.indices(count: loader.dataset.count)
        examples = ExampleMaker(loader.dataset, height: loader.height, width: loader.width)
    }

    func batch(_ index: Int) -> Batch {
        let members = indices[(index * batchSize)...].prefix(batchSize)
        let size = examples.count
        var problem: FileError?
        let images = [Float](unsafeUninitializedCapacity: members.count * size) { images, count in
            do throws(FileError) {
                for (place, member) in members.enumerated() {
                    try examples.write(
                        member,
                        to: UnsafeMutableBufferPointer(
                            rebasing: images[place * size..<(place + 1) * size]))
                }
                count = members.count * size
            } catch {
                problem = error
            }
        }
        let classes = problem == nil ? members.map { Int32(labels[$0]) } : []
        return Batch(index: index, images: images, labels: classes, problem: problem)
    }
}
