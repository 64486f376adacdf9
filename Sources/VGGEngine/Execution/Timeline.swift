import Synchronization

/// When parts of a program's work began and ended, on several lanes at once. Any thread may add to it.
package final class Timeline: Sendable {
    /// What is done side by side.
    package enum Lane: Int, CaseIterable, Sendable {
        case computing = 1
        case gradients
        case waiting
    }

    package struct Span: Sendable {
        package let name: String
        package let lane: Lane
        /// Seconds since the timeline's start.
        package let begin: Double
        package let seconds: Double
    }

    private let start = ContinuousClock.now
    private let all = Mutex<[Span]>([])

    package init() {}

    /// What there is so far.
    package var spans: [Span] { all.withLock { $0 } }

    package func add(
        _ name: String, on lane: Lane, from begin: ContinuousClock.Instant,
        to end: ContinuousClock.Instant = .now
    ) {
        let span = Span(
            name: name, lane: lane, begin: (begin - start) / .seconds(1), seconds: (end - begin) / .seconds(1)
        )
        all.withLock { $0.append(span) }
    }
}
