import VGGFiles
import VGGImages

/// Photos that are given to a network together.
public struct PhotoBatch: Sendable {
    /// A file, and why it could not be read, if it could not.
    public struct Entry: Sendable {
        public let file: String
        public let problem: FileError?
    }

    /// In the order of the files.
    public let entries: [Entry]
    /// `[count, size, size, channels]`: the entries without a problem, in their order.
    public let images: [Float]

    /// How many images there are.
    public var count: Int { entries.count { $0.problem == nil } }
}

/// Photos, read and prepared on background threads while the ones before are being used.
///
///     for batch in PhotoLoader(files, preprocessing: .imageNet, batchSize: 16) { … }
///
/// A file that cannot be read does not stop the others.
public struct PhotoLoader: Sequence, Sendable {
    /// The name that stands for standard input.
    public static let standardInput = "-"

    /// Paths, or `-` for standard input.
    public let files: [String]
    public let preprocessing: Preprocessing
    public let batchSize: Int
    /// How many batches are made ahead at most; this bounds the memory.
    public let prefetch: Int
    public let threads: Int

    /// - Precondition: `batchSize`, `prefetch` and `threads` are positive.
    public init(
        _ files: [String], preprocessing: Preprocessing, batchSize: Int,
        prefetch: Int = BatchLoader.defaultPrefetch,
        threads: Int = 2
    ) {
        precondition(Swift.min(batchSize, prefetch, threads) > 0, "sizes must be positive")
        self.files = files
        self.preprocessing = preprocessing
        self.batchSize = batchSize
        self.prefetch = prefetch
        self.threads = threads
    }

    public var batchCount: Int { files.count / batchSize + (files.count % batchSize == 0 ? 0 : 1) }

    public var underestimatedCount: Int { batchCount }

    /// Starts the background work.
    public func makeIterator() -> Iterator { Iterator(self) }

    public final class Iterator: IteratorProtocol {
        private let pipeline: BatchPipeline<PhotoBatch>
        private var step = 0
        private let end: Int

        fileprivate init(_ loader: PhotoLoader) {
            end = loader.batchCount
            pipeline = BatchPipeline(
                0..<end, prefetch: loader.prefetch, threads: loader.threads, make: loader.batch)
        }

        deinit { pipeline.cancel() }

        /// The next batch, waiting for it if it is not ready; nil after the last.
        public func next() -> PhotoBatch? {
            guard step < end else { return nil }
            defer { step += 1 }
            return pipeline.take(step)
        }
    }

    @Sendable private func batch(_ index: Int) -> PhotoBatch {
        let members = files[(index * batchSize)...].prefix(batchSize)
        var entries: [PhotoBatch.Entry] = []
        let images = [Float](unsafeUninitializedCapacity: members.count * preprocessing.count) {
            images, count in
            for file in members {
                do throws(FileError) {
                    let image = try Self.read(file)
                    preprocessing.write(
                        image,
                        to: UnsafeMutableBufferPointer(rebasing: images[count...].prefix(preprocessing.count))
                    )
                    count += preprocessing.count
                    entries.append(PhotoBatch.Entry(file: file, problem: nil))
                } catch {
                    entries.append(PhotoBatch.Entry(file: file, problem: error))
                }
            }
        }
        return PhotoBatch(entries: entries, images: images)
    }

    /// The photo of a file, or of standard input for `-`.
    /// - Throws: `FileError` that says why it cannot be read.
    public static func read(_ file: String) throws(FileError) -> RGBImage {
        file == standardInput
            ? try RGBImage(readingFrom: 0, name: "standard input") : try RGBImage(contentsOf: file)
    }
}
