import Synchronization

/// Does work when its turn comes in a queue, unless nobody wants it any more by then.
/// - Parameters:
///   - deadline: when it is too late to begin; nil for never.
///   - enqueue: puts what it is given into the queue, which shall call it once, on a thread of its own.
///   - work: what is to be done.
/// - Returns: what it gives.
/// - Throws: `APIError` if it is too late, `CancellationError` if nobody waits for it any more when its turn comes; or what
///   `work` throws.
func inTurn<Made: Sendable>(
    by deadline: ContinuousClock.Instant?,
    _ enqueue: (@escaping @Sendable () -> Void) -> Void,
    _ work: @escaping @Sendable () throws -> Made
) async throws -> Made {
    let isCancelled = Flag()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            enqueue {
                continuation.resume(
                    with: Result {
                        guard !isCancelled.isSet else { throw CancellationError() }
                        if let deadline, deadline <= .now { throw APIError.tooSlow }
                        return try work()
                    })
            }
        }
    } onCancel: {
        isCancelled.set()
    }
}

/// Something that has happened, or not yet.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
