import Testing
import VGGCPU
import VGGEngine
import VGGInference
import VGGModel

/// One copy of the weights, many requests (Scripts/concurrency runs the same under the thread sanitizer).
@Suite struct InferencePoolTests {
    private let zeros = [Float](repeating: 0, count: 3 * 12 * 12)

    private func plan(batchSize: Int = 2, _ precision: Precision = .fp32) throws -> Plan {
        let network = try Network(
            input: .map(channels: 3, height: 12, width: 12),
            blocks: [
                vggBlock(2, 3, 32), vggBlock(1, 32, 32, batchNorm: true),
                .sequential([.flatten, .linear(Linear(32 * 9, 40)), .relu, .linear(Linear(40, 7))]),
            ])
        return try Plan(network, batchSize: batchSize, mode: .inference, precision: precision)
    }

    private func executor(_ plan: Plan, on device: Device) throws -> Executor {
        let executor = try Executor(plan: plan, device: device)
        executor.initialize(.kaiming, seed: 4)
        return executor
    }

    @Test(arguments: TestedPrecision.allAndReference)
    func eightTasksGetTheAnswersOfOne(on tested: TestedPrecision) async throws {
        let precision = tested.precision
        let plan = try plan(precision)
        let alone = try executor(plan, on: tested.device)
        let weights = try PackedWeights(alone.weights, for: plan, on: tested.device)
        let batches = try (0..<8).map {
            try randomImages(count: 2, shape: plan.network.input, seed: UInt64($0))
        }
        let expected = batches.map(alone.logits)
        // As many executors as tasks, and fewer.
        for executors in [8, 3] {
            let pool = try InferencePool(weights, executors: executors)
            let answers = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
                for round in 0..<3 {
                    for (index, images) in batches.enumerated() {
                        group.addTask { (round * 8 + index, try await pool.logits(images)) }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(answers.count == 24)
            for (index, answer) in answers { #expect(answer == expected[index % 8]) }
        }
    }

    @Test func cutsManyImagesIntoBatches() async throws {
        let plan = try plan()
        let alone = try executor(plan, on: .cpu)
        let pool = try InferencePool(PackedWeights(alone.weights, for: plan, on: .cpu), executors: 1)
        let images = try randomImages(count: 5, shape: plan.network.input, seed: 1)
        let expected = (0..<5).flatMap { alone.logits(images[$0..<$0 + 1]) }
        #expect(try await pool.logits(images) == expected)
    }

    @Test func refusesWhatDoesNotFit() async throws {
        let plan = try plan()
        let weights = try PackedWeights(executor(plan, on: .cpu).weights, for: plan, on: .cpu)
        let pool = try InferencePool(weights, executors: 1)
        let turned = try ImageBatch(zeros, shape: .map(channels: 12, height: 12, width: 3))
        let error = await #expect(throws: InputError.self) { try await pool.logits(turned) }
        #expect("\(try #require(error))" == "images must be 3×12×12, not 12×12×3")
        #expect(throws: InputError.self) { try ImageBatch([], count: .max, shape: plan.network.input) }
        // It still answers.
        #expect(try await pool.logits(ImageBatch(zeros, shape: plan.network.input)).count == 7)
    }

    @Test func aCancelledTaskIsNotRun() async throws {
        let plan = try plan()
        let pool = try InferencePool(
            PackedWeights(executor(plan, on: .cpu).weights, for: plan, on: .cpu), executors: 1)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await pool.logits(ImageBatch(zeros, shape: plan.network.input))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func namesTheTensorAtFault() throws {
        let plan = try plan()
        var weights = try executor(plan, on: .cpu).weights
        weights["features.0.bias"] = nil
        #expect(throws: WeightsError.missing("features.0.bias")) {
            try PackedWeights(weights, for: plan, on: .cpu)
        }
    }
}
