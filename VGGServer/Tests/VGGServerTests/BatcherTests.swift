import Foundation
import Synchronization
import Testing
import VGGFiles
import VGGInference
import VGGModel
import VGGServer

@Suite struct BatcherTests {
    /// Notes the sizes of batches, and can hold them back.
    private final class Computer: Sendable {
        let sizes = Mutex<[Int]>([])
        private let isOpen = Mutex(false)

        func open() { isOpen.withLock { $0 = true } }

        func compute(_ requests: [ImageBatch]) async -> [Result<[Float], FileError>] {
            sizes.withLock { $0.append(requests.reduce(0) { $0 + $1.count }) }
            while !isOpen.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(2)) }
            return requests.map { .success($0.values) }
        }
    }

    private func batcher(_ computer: Computer, delay: Duration = .zero, queue: Int = 8) -> Batcher {
        Batcher(maxBatchSize: 4, maxDelay: delay, maxQueue: queue) { await computer.compute($0) }
    }

    private func image(_ value: Float, count: Int = 1) throws -> ImageBatch {
        try ImageBatch(Array(repeating: value, count: count), count: count, shape: .vector(1))
    }

    private var later: ContinuousClock.Instant { .now + .seconds(60) }

    /// Waits until so many images wait.
    private func wait(for length: Int, in batcher: Batcher) async throws {
        while await batcher.queueLength != length { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test(.timeLimit(.minutes(1))) func gathersWhatComesMeanwhile() async throws {
        let computer = Computer()
        let batcher = batcher(computer)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                let images = try image(Float(number))
                let deadline = later
                group.addTask {
                    let logits = try await batcher.logits(of: images, by: deadline)
                    #expect(logits == [Float(number)])
                }
                // The first makes a batch of its own, the others wait for its end.
                try await wait(for: number, in: batcher)
            }
            computer.open()
            try await group.waitForAll()
        }
        #expect(computer.sizes.withLock { $0 } == [1, 4, 3])
    }

    @Test(.timeLimit(.minutes(1))) func waitsForOthersNoLongerThanItsDelay() async throws {
        let computer = Computer()
        computer.open()
        let slow = batcher(computer, delay: .milliseconds(200))
        let start = ContinuousClock.now
        _ = try await slow.logits(of: image(1), by: later)
        #expect(ContinuousClock.now - start >= .milliseconds(200))
        // A full batch does not wait.
        let patient = batcher(computer, delay: .seconds(600))
        let (one, other, deadline) = (try image(1, count: 3), try image(2), later)
        async let first = patient.logits(of: one, by: deadline)
        async let second = patient.logits(of: other, by: deadline)
        #expect(try await first == [1, 1, 1])
        #expect(try await second == [2])
    }

    /// Else two clients that ask one after another would wait for each other's batches for ever.
    @Test(.timeLimit(.minutes(1))) func clientsThatComeBackTogetherStayABatch() async throws {
        let sizes = Mutex<[Int]>([])
        let batcher = Batcher(maxBatchSize: 2, maxDelay: .microseconds(1), maxQueue: 8) { requests in
            sizes.withLock { $0.append(requests.count) }
            try await Task.sleep(for: .seconds(1))
            return requests.map { .success($0.values) }
        }
        let (single, deadline) = (try image(1), later)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<2 {
                group.addTask {
                    for _ in 0..<4 - client { _ = try await batcher.logits(of: single, by: deadline) }
                }
                // The second comes while the first one's batch is computed.
                while sizes.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
            }
            try await group.waitForAll()
        }
        // All of them but the first, unless the machine is so busy that somebody comes back too late.
        #expect(sizes.withLock { $0 }.contains(2))
    }

    @Test(.timeLimit(.minutes(1))) func refusesWhatItHasNoRoomFor() async throws {
        let computer = Computer()
        let batcher = batcher(computer, queue: 4)
        let (single, four, deadline) = (try image(1), try image(2, count: 4), later)
        async let running = batcher.logits(of: single, by: deadline)
        while computer.sizes.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
        async let waiting = batcher.logits(of: four, by: deadline)
        try await wait(for: 4, in: batcher)
        let error = await #expect(throws: APIError.self) {
            try await batcher.logits(of: single, by: deadline)
        }
        #expect(error?.status == .serviceUnavailable && error?.headers[.retryAfter] != nil)
        computer.open()
        #expect(try await running == [1])
        #expect(try await waiting.count == 4)
    }

    @Test(.timeLimit(.minutes(1))) func computesNothingThatIsTooLate() async throws {
        let computer = Computer()
        let batcher = batcher(computer)
        let (single, deadline) = (try image(1), later)
        async let running = batcher.logits(of: single, by: deadline)
        while computer.sizes.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
        let late = Task { try await batcher.logits(of: single, by: .now + .milliseconds(50)) }
        try await wait(for: 1, in: batcher)
        try await Task.sleep(for: .milliseconds(60))
        computer.open()
        _ = try await running
        await #expect(throws: APIError.self) { try await late.value }
        #expect(computer.sizes.withLock { $0 } == [1])
    }

    @Test(.timeLimit(.minutes(1))) func forgetsClientsThatHangUp() async throws {
        let computer = Computer()
        let batcher = batcher(computer)
        let (single, deadline) = (try image(1), later)
        async let running = batcher.logits(of: single, by: deadline)
        while computer.sizes.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(1)) }
        let gone = Task { try await batcher.logits(of: single, by: deadline) }
        try await wait(for: 1, in: batcher)
        gone.cancel()
        try await wait(for: 0, in: batcher)
        await #expect(throws: CancellationError.self) { try await gone.value }
        computer.open()
        _ = try await running
        #expect(computer.sizes.withLock { $0 } == [1])
    }

    /// What one image's numbers do is nothing to the others of its batch.
    @Test func oneOverflowIsNobodyElses() async throws {
        let predictor = TestModel.predictor
        let good = try TestModel.images(1)
        let bad = try ImageBatch(
            Array(repeating: 3e38, count: good.shape.count), count: 1, shape: good.shape)
        let alone = try await predictor.logits(for: good)
        let results = try await predictor.logits(forEach: [bad, good])
        #expect(throws: FileError.self) { try results[0].get() }
        #expect(try results[1].get() == alone)
    }
}
