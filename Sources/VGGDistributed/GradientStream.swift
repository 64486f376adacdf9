import Dispatch
import Synchronization
import VGGEngine

/// Adds the gradients of the ranks' parts of a batch while the backward pass still makes those of earlier layers: in pieces,
/// one after another, on a thread of its own, which sleeps while it waits for the others.
///
/// All ranks announce the same ranges in the same order, as their plans are the same. What is not announced is added in the end.
package final class GradientStream: Sendable {
    /// Numbers that go out at a time, 1 MB: enough to make what a message costs small, and few enough for the one rank to add while
    /// the others' next are on their way.
    private static let piece = 1 << 18

    private struct State {
        var exchange: TreeExchange
        var timeline: Timeline?
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    private let announced = Mutex<[Range<Int>]>([])
    private let queue = DispatchQueue(label: "gradients", qos: .userInitiated)

    package init(_ communicator: any Communicator) {
        state = Mutex(State(exchange: TreeExchange(communicator, tree: SumTree(images: 0))))
    }

    /// From now on writes down when pieces are exchanged; nil ends that.
    package func write(to timeline: Timeline?) { state.withLock { $0.timeline = timeline } }

    /// Begins to add up numbers, and returns at once.
    /// - Parameters:
    ///   - gradients: all of them. They stay where they are until `finish`, and nobody else touches those in `ranges`.
    ///   - tree: of the whole batch.
    package func add(
        _ ranges: [Range<Int>], of gradients: UnsafeMutableBufferPointer<Float>, along tree: SumTree
    ) {
        announced.withLock { $0 += ranges }
        enqueue(ranges, of: gradients, along: tree)
    }

    private func enqueue(
        _ ranges: [Range<Int>], of gradients: UnsafeMutableBufferPointer<Float>, along tree: SumTree
    ) {
        for range in ranges {
            // The caller lends it until `finish`.
            nonisolated(unsafe) let numbers = UnsafeMutableBufferPointer(rebasing: gradients[range])
            queue.async { self.add(numbers, along: tree) }
        }
    }

    private func add(_ numbers: UnsafeMutableBufferPointer<Float>, along tree: SumTree) {
        state.withLock { state in
            state.exchange.tree = tree
            for start in stride(from: 0, to: numbers.count, by: Self.piece) where state.failure == nil {
                let piece = numbers[start..<min(start + Self.piece, numbers.count)]
                let begin = ContinuousClock.now
                do {
                    try state.exchange.exchange(UnsafeMutableBufferPointer(rebasing: piece))
                    state.timeline?.add("\(4 * piece.count) bytes", on: .gradients, from: begin)
                } catch {
                    state.failure = error
                }
            }
        }
    }

    /// Adds what has not been announced, and waits for all.
    /// - Throws: what went wrong; the gradients are then in no known state.
    package func finish(_ gradients: UnsafeMutableBufferPointer<Float>, along tree: SumTree) throws {
        let ranges = announced.withLock { ranges in
            defer { ranges = [] }
            return ranges.sorted { $0.lowerBound < $1.lowerBound }
        }
        var rest: [Range<Int>] = []
        var end = 0
        for range in ranges {
            if range.lowerBound > end { rest.append(end..<range.lowerBound) }
            end = range.upperBound
        }
        if end < gradients.count { rest.append(end..<gradients.count) }
        enqueue(rest, of: gradients, along: tree)
        queue.sync {}
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
