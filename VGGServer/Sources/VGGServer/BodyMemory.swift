import Synchronization

/// The memory that the bodies of all requests take together.
package final class BodyMemory: Sendable {
    private let limit: Int
    private let taken = Atomic(0)

    /// - Parameter limit: bytes at most.
    package init(limit: Int) { self.limit = limit }

    /// Bytes that are taken.
    package var bytes: Int { taken.load(ordering: .relaxed) }

    package func hasRoom(for bytes: Int) -> Bool { bytes <= limit - self.bytes }

    /// What one request has of it, until its end.
    package final class Share: Sendable {
        private let memory: BodyMemory
        private let own = Atomic(0)

        package init(of memory: BodyMemory) { self.memory = memory }

        /// - Returns: whether there was room; nothing is taken if not.
        package func takes(_ bytes: Int) -> Bool {
            let sum = memory.taken.wrappingAdd(bytes, ordering: .relaxed).newValue
            guard sum <= memory.limit else {
                memory.taken.wrappingSubtract(bytes, ordering: .relaxed)
                return false
            }
            own.wrappingAdd(bytes, ordering: .relaxed)
            return true
        }

        /// What a client is told where there was no memory for so many bytes more.
        package func problem(lacking bytes: Int) -> APIError {
            guard own.load(ordering: .relaxed) + bytes > memory.limit else { return .noRoom }
            return APIError(
                .contentTooLarge, "what the body holds would take more than \(memory.limit) bytes of memory")
        }

        package func giveBack(_ bytes: Int) {
            own.wrappingSubtract(bytes, ordering: .relaxed)
            memory.taken.wrappingSubtract(bytes, ordering: .relaxed)
        }

        /// Gives all back.
        package func end() { giveBack(own.load(ordering: .relaxed)) }
    }
}
