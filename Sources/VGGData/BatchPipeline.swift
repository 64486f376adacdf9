import Foundation
import Synchronization

/// Threads that make batches ahead of the one who takes them, into a ring of `prefetch` slots.
///
/// A thread claims the next batch only after it got one of `prefetch` permits, and taking a batch returns its
/// permit. Batches are taken in order, so all that are claimed lie within `prefetch` of each other, and the
/// slot `index % prefetch` is free whenever `index` has been claimed.
package final class BatchPipeline<Element: Sendable>: Sendable {
    private struct State {
        var nextToMake: Int
        var slots: [Element?]
    }

    private let make: @Sendable (Int) -> Element
    private let prefetch: Int
    private let threads: Int
    private let end: Int
    private let state: Mutex<State>
    // Both kinds begin at 0 and are signalled to their starts: Dispatch stops a program that frees a semaphore
    // whose value is below the one it began with.
    private let permits = DispatchSemaphore(value: 0)
    private let filled: [DispatchSemaphore]

    /// - Parameters:
    ///   - batches: the indices of those to make; taking begins with the first.
    ///   - make: makes the batch of an index, on any of the threads.
    init(
        _ batches: Range<Int>, prefetch: Int, threads: Int, make: @escaping @Sendable (Int) -> Element
    ) {
        self.make = make
        self.prefetch = prefetch
        self.threads = threads
        end = batches.upperBound
        state = Mutex(
            State(nextToMake: batches.lowerBound, slots: Array(repeating: nil, count: prefetch)))
        filled = (0..<prefetch).map { _ in DispatchSemaphore(value: 0) }
        for _ in 0..<prefetch { permits.signal() }
        for _ in 0..<threads {
            // A thread of its own: waiting must not occupy one of Dispatch's few.
            Thread.detachNewThread { [self] in makeBatches() }
        }
    }

    /// Waits for the batch `index`; each must be taken once, in order.
    func take(_ index: Int) -> Element? {
        filled[index % prefetch].wait()
        let batch = state.withLock { state in
            let batch = state.slots[index % prefetch]
            state.slots[index % prefetch] = nil
            return batch
        }
        permits.signal()
        return batch
    }

    /// Lets the threads end after the batch they are making.
    func cancel() {
        state.withLock { state in state.nextToMake = end }
        permits.signal()
    }

    private func makeBatches() {
        while let index = claim() {
            let batch = make(index)
            state.withLock { state in state.slots[index % prefetch] = batch }
            filled[index % prefetch].signal()
        }
    }

    private func claim() -> Int? {
        permits.wait()
        let index: Int? = state.withLock { state in
            guard state.nextToMake < end else { return nil }
            defer { state.nextToMake += 1 }
            return state.nextToMake
        }
        // At the end the permit goes on to the next thread, so that all of them wake up and end.
        if index == nil { permits.signal() }
        return index
    }
}
