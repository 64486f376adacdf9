import VGGFiles
import VGGModel

/// Gathers the requests of many tasks into batches: those that come while a batch is computed make the next one.
///
/// A request's answer is the same to the bit as if it were alone.
package actor Batcher {
    package typealias Logits = [Float]

    private struct Waiting {
        let images: ImageBatch
        let arrival: ContinuousClock.Instant
        /// When it is too late to compute.
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Logits, any Error>
    }

    /// What a batch took.
    package struct Timing: Sendable {
        package var requests: Int
        package var images: Int
        /// Of each request.
        package var waited: [Duration]
        package var computed: Duration
    }

    package let maxBatchSize: Int
    private let maxDelay: Duration
    private let maxQueue: Int
    private let compute: @Sendable ([ImageBatch]) async throws -> [Result<Logits, FileError>]
    private let report: @Sendable (Timing) -> Void

    /// In the order of arrival.
    private var waiting: [(id: Int, request: Waiting)] = []
    private var waitingImages = 0
    private var lastID = 0
    private var isComputing = false
    /// Until when those who were answered together have time to ask again, so that they stay one batch.
    private var reunion = ContinuousClock.now
    /// Ends the wait for more requests.
    private var alarm: Task<Void, Never>?

    /// - Parameters:
    ///   - maxQueue: images that wait at most.
    ///   - compute: the logits of each request.
    ///   - report: is told of each batch.
    package init(
        maxBatchSize: Int, maxDelay: Duration, maxQueue: Int,
        compute: @escaping @Sendable ([ImageBatch]) async throws -> [Result<Logits, FileError>],
        report: @escaping @Sendable (Timing) -> Void = { _ in }
    ) {
        (self.maxBatchSize, self.maxDelay, self.maxQueue) = (maxBatchSize, maxDelay, maxQueue)
        (self.compute, self.report) = (compute, report)
    }

    /// Images that wait.
    package var queueLength: Int { waitingImages }

    /// The logits of images, [count, classes].
    /// - Parameter images: at most `maxBatchSize`.
    /// - Throws: `APIError` if the queue is full or the deadline passes; `CancellationError` if the task is cancelled
    ///   before it is computed; or what computing throws.
    package func logits(of images: ImageBatch, by deadline: ContinuousClock.Instant) async throws -> Logits {
        precondition(images.count <= maxBatchSize, "a request is no larger than a batch")
        guard waitingImages + images.count <= maxQueue else { throw APIError.busy("the queue is full") }
        lastID += 1
        let id = lastID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                waiting.append(
                    (
                        id,
                        Waiting(
                            images: images, arrival: .now, deadline: deadline, continuation: continuation)
                    ))
                waitingImages += images.count
                computeIfDue()
            }
        } onCancel: {
            Task { await self.forget(id) }
        }
    }

    /// Takes a request of a client that has gone out of the queue.
    private func forget(_ id: Int) {
        guard let place = waiting.firstIndex(where: { $0.id == id }) else { return }
        remove(at: place, throwing: CancellationError())
    }

    private func remove(at place: Int, throwing error: any Error) {
        let (_, request) = waiting.remove(at: place)
        waitingImages -= request.images.count
        request.continuation.resume(throwing: error)
    }

    /// Begins a batch if it is full or its first request has waited long enough; else sets the alarm.
    private func computeIfDue() {
        guard !isComputing, let first = waiting.first?.request else { return }
        let due = max(first.arrival + maxDelay, reunion)
        if waitingImages >= maxBatchSize || due <= .now {
            alarm?.cancel()
            alarm = nil
            let batch = nextBatch()
            guard !batch.isEmpty else { return }
            isComputing = true
            Task { await self.run(batch) }
        } else if alarm == nil {
            alarm = Task {
                try? await Task.sleep(until: due, clock: .continuous)
                guard !Task.isCancelled else { return }
                self.alarm = nil
                self.computeIfDue()
            }
        }
    }

    /// The first requests that fit into a batch; those that are too late are told so.
    private func nextBatch() -> [Waiting] {
        let now = ContinuousClock.now
        for place in waiting.indices.reversed() where waiting[place].request.deadline <= now {
            remove(at: place, throwing: APIError.tooSlow)
        }
        var count = 0
        let fitting = waiting.prefix { _, request in
            count += request.images.count
            return count <= maxBatchSize
        }.map(\.request)
        waiting.removeFirst(fitting.count)
        waitingImages -= fitting.reduce(0) { $0 + $1.images.count }
        return fitting
    }

    /// Computes a batch and answers.
    ///
    /// Clients that ask one after another come back within milliseconds of each other. Were the first of them computed at
    /// once, they would be two halves for ever, each waiting for the other's batch, and small batches are slower for each
    /// image. So whoever shared a batch or waited behind it gives the others 1/32 of the time it took.
    private func run(_ batch: [Waiting]) async {
        let start = ContinuousClock.now
        do {
            let results = try await compute(batch.map(\.images))
            let timing = Timing(
                requests: batch.count, images: batch.reduce(0) { $0 + $1.images.count },
                waited: batch.map { start - $0.arrival }, computed: .now - start)
            report(timing)
            for (request, result) in zip(batch, results) {
                request.continuation.resume(with: result.mapError { $0 as any Error })
            }
        } catch {
            for request in batch { request.continuation.resume(throwing: error) }
        }
        isComputing = false
        if maxDelay > .zero, batch.count > 1 || !waiting.isEmpty {
            reunion = .now + (.now - start) / 32
        }
        computeIfDue()
    }
}
