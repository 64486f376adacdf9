import Dispatch
import Synchronization
import VGGEngine

/// Why images are refused.
public struct InputError: Error, Hashable, CustomStringConvertible {
    /// Of how many images there should be numbers.
    public let count: Int
    /// How many numbers there should be, and how many there are.
    public let expected: Int
    public let found: Int

    package init(count: Int, expected: Int, found: Int) {
        self.count = count
        self.expected = expected
        self.found = found
    }

    public var description: String {
        count < 1
            ? "there must be at least one image, not \(count)"
            : "\(count == 1 ? "an image has" : "\(count) images have") \(expected) numbers, not \(found)"
    }
}

/// Answers many tasks at once with one copy of the weights.
///
/// A request has an executor to itself while it runs, and runs on a thread of the pool's, so that none of those that Swift's
/// concurrency has few of is blocked. Answers are the same to the bit, whatever else runs.
public final class InferencePool: Sendable {
    public let weights: PackedWeights
    private let lanes: [Lane]

    /// An executor on a thread of its own.
    private final class Lane: Sendable {
        private let queue = DispatchQueue(label: "VGGInference.InferencePool", qos: .userInitiated)
        /// Only the queue, which does one thing at a time, uses it.
        nonisolated(unsafe) private let executor: Executor
        /// Requests, running or waiting.
        let requests = Atomic(0)

        init(_ weights: PackedWeights) throws(PlanError) { executor = try weights.executor() }

        func run<Result: Sendable>(_ body: @escaping @Sendable (Executor) -> Result) async -> Result {
            requests.wrappingAdd(1, ordering: .relaxed)
            defer { requests.wrappingSubtract(1, ordering: .relaxed) }
            return await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: body(self.executor)) }
            }
        }
    }

    /// - Parameter executors: so many requests run at once, each with memory for a batch and as many threads as the
    ///   device has; more wait for their turn.
    /// - Throws: `PlanError.outOfMemory`.
    public init(_ weights: PackedWeights, executors: Int) throws(PlanError) {
        precondition(executors > 0, "a pool needs an executor")
        self.weights = weights
        lanes = try (0..<executors).map { _ throws(PlanError) in try Lane(weights) }
    }

    /// The logits of images.
    /// - Parameters:
    ///   - images: [count, height, width, channels].
    ///   - count: any number; they are run in batches of at most the plan's size.
    /// - Returns: [count, classes].
    /// - Throws: `InputError` if the images have not as many numbers as the plan wants, or `CancellationError`.
    public func logits(images: [Float], count: Int = 1) async throws -> [Float] {
        let plan = weights.plan
        let size = plan.network.input.count
        guard count > 0, images.count == count * size else {
            throw InputError(count: count, expected: max(count, 0) * size, found: images.count)
        }
        var logits: [Float] = []
        for first in stride(from: 0, to: count, by: plan.batchSize) {
            try Task.checkCancellation()
            let batch = min(plan.batchSize, count - first)
            // Most requests are one batch, which is not copied.
            let part = batch == count ? images : Array(images[first * size..<(first + batch) * size])
            logits += await freest.run { $0.logits(images: part, count: batch) }
        }
        return logits
    }

    /// The lane that has the fewest requests; where two ask at once, it may be any.
    private var freest: Lane {
        let loads = lanes.map { $0.requests.load(ordering: .relaxed) }
        return lanes[loads.indices.min { loads[$0] < loads[$1] } ?? 0]
    }
}
