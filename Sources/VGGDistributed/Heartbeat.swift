import Foundation
import Synchronization
import VGGEngine

/// Asks the other ranks for signs of life, in turns: those that are 1, 2, 4 and so on away, so that somebody asks each machine.
///
/// The thread that asks and answers does nothing else: a rank that computes, or waits for a disk, answers at once.
final class Heartbeat: Sendable {
    /// How long a rank may be silent.
    private static let silence = Duration.seconds(8)
    /// The first time, as others may have started later.
    private static let start = Duration.seconds(60)

    private struct State {
        /// Beats that have begun.
        var begun = 0
        /// Whether the end is being agreed upon, and none may begin.
        var waits = false
        /// How many there will be; nil while that is open.
        var all: Int?
    }

    private let ranks: MPI
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    init(_ ranks: MPI, _ lost: @escaping @Sendable (DistributedError) -> Void) {
        self.ranks = ranks
        Thread.detachNewThread { [self] in
            do throws(DistributedError) {
                while let beat = next() { try exchange(beat) }
                ended.signal()
            } catch {
                lost(error)
            }
        }
    }

    /// Waits for the next beat's time.
    /// - Returns: its number; nil after the last.
    private func next() -> Int? {
        for tenth in 0... {
            let (beat, isOver) = state.withLock { state in
                if let all = state.all, state.begun == all { return (Int?.none, true) }
                guard !state.waits, state.all != nil || tenth >= 10 else { return (nil, false) }
                defer { state.begun += 1 }
                return (state.begun, false)
            }
            if beat != nil || isOver { return beat }
            usleep(100_000)
        }
        return nil
    }

    private func exchange(_ beat: Int) throws(DistributedError) {
        let distances = ranks.distances
        let other = ranks.rank ^ distances[beat % distances.count]
        let sign = UnsafeMutableRawBufferPointer.allocate(byteCount: 2, alignment: 1)
        defer { sign.deallocate() }
        sign[0] = 1
        try ranks.exchange(
            UnsafeRawBufferPointer(rebasing: sign[0..<1]),
            UnsafeMutableRawBufferPointer(rebasing: sign[1..<2]),
            with: other, on: .heartbeat, within: beat < distances.count ? Self.start : Self.silence)
    }

    /// Ends, on all ranks after the same beat.
    func end() throws {
        let begun = state.withLock { state in
            state.waits = true
            return state.begun
        }
        var most = [Double(begun)]
        try ranks.combine(&most, along: SumTree(images: SumTree.shards)) { $0[0] = max($0[0], $1[0]) }
        state.withLock { ($0.all, $0.waits) = (Int(most[0]), false) }
        ended.wait()
    }
}
