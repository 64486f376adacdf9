import Dispatch

/// Something that one thread at a time may use, such as an executor, on a queue of its own; made when it is first needed.
final class Lane<State>: Sendable {
    private let queue: DispatchQueue
    /// Only the queue, which does one thing at a time, uses it.
    nonisolated(unsafe) private var state: State?
    private let make: @Sendable () throws -> State

    init(_ name: String, _ make: @escaping @Sendable () throws -> State) {
        queue = DispatchQueue(label: "VGGServer.\(name)", qos: .userInitiated)
        self.make = make
    }

    /// Does something with it when those that came before are done.
    /// - Parameter deadline: when it is too late to begin; nil for never.
    /// - Throws: as `inTurn`; or what making it throws.
    func run<Result: Sendable>(
        by deadline: ContinuousClock.Instant? = nil,
        _ work: @escaping @Sendable (inout State) throws -> Result
    ) async throws -> Result {
        try await inTurn(by: deadline) { [queue] in
            queue.async(execute: $0)
        } _: {
            var state = try self.state ?? self.make()
            self.state = nil
            defer { self.state = state }
            return try work(&state)
        }
    }
}
