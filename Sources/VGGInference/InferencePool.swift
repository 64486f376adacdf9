import Dispatch
import Synchronization
import VGGEngine
import VGGModel

/// Answers many tasks at once with one copy of the weights.
///
/// A request has an executor to itself while it runs, and runs on a thread of the pool's, so that none of those that Swift's
/// concurrency has few of is blocked. Answers are the same to the bit, whatever else runs.
public final class InferencePool: Sendable {
    /// What all executors read.
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
        precondition(weights.plan.network.head != nil, "a network without a classifier has no logits")
        self.weights = weights
        lanes = try (0..<executors).map { _ throws(PlanError) in try Lane(weights) }
    }

    /// The logits of images.
    /// - Parameter images: any number; they are run in batches of at most the plan's size.
    /// - Returns: [count, classes].
    /// - Throws: `InputError` if the images are of another shape than the plan's, `DeviceError`, or `CancellationError`.
    public func logits(_ images: ImageBatch) async throws -> [Float] {
        let plan = weights.plan
        try images.check(fits: plan.network.input)
        var logits: [Float] = []
        for first in stride(from: 0, to: images.count, by: plan.batchSize) {
            try Task.checkCancellation()
            let part = images[first..<min(first + plan.batchSize, images.count)]
            logits += try await freest.run { executor in
                Result { () throws(DeviceError) in
                    let logits = executor.logits(part)
                    try executor.checkDevice()
                    return logits
                }
            }.get()
        }
        return logits
    }

    /// The lane that has the fewest requests; where two ask at once, it may be any.
    private var freest: Lane {
        let loads = lanes.map { $0.requests.load(ordering: .relaxed) }
        return lanes[loads.indices.min { loads[$0] < loads[$1] } ?? 0]
    }
}
