// What Scripts/concurrency runs: many tasks, one copy of the weights.
import Foundation
import VGGCPU
import VGGEngine
import VGGModel

/// Bytes of memory that the process holds.
func residentBytes() throws -> Int {
    let words = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

func packedWeights(_ network: Network, precision: Precision, threads: Int) throws -> PackedWeights {
    let plan = try Plan(network, batchSize: 1, mode: .inference, precision: precision)
    let executor = try Executor(plan: plan, device: .cpu(threads: threads))
    executor.initialize(.kaiming, seed: 1)
    return try PackedWeights(executor.weights, for: plan, on: .cpu(threads: threads))
}

func image(_ network: Network, _ seed: Int) throws -> ImageBatch {
    try ImageBatch(
        (0..<network.input.count).map { Float(($0 + seed) % 251) / 250 }, shape: network.input)
}

/// Eight tasks, eight executors: the answers of one.
func threads() async throws {
    let network = try vgg([(2, 32), (1, 64)], size: 16, inChannels: 3, hiddenFeatures: [64])
    for precision in Precision.allCases {
        // Weights of its own, so that the tasks are the first to use the shared ones.
        let alone = try packedWeights(network, precision: precision, threads: 2).executor()
        let expected = try (0..<8).map { alone.logits(try image(network, $0)) }
        let weights = try packedWeights(network, precision: precision, threads: 2)
        let pool = try InferencePool(weights, executors: 8)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<5 {
                        let logits = try await pool.logits(image(network, task))
                        guard logits == expected[task] else { return false }
                    }
                    return true
                }
            }
            for try await isRight in group where !isRight { fatalError("a task got another answer") }
        }
        print("eight tasks in \(precision): the answers of one")
    }
}

/// VGG-16's weights take 528 MB once, whatever the number of executors.
func memory() async throws {
    var specification = ModelSpecification()
    (specification.arch, specification.inChannels, specification.classes) = ("vgg16", 3, 1000)
    let network = try specification.network(size: 224)
    let weights = try packedWeights(network, precision: .fp32, threads: 1)
    var one = 0
    for executors in [1, 8] {
        let pool = try InferencePool(weights, executors: executors)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<executors {
                group.addTask { _ = try await pool.logits(image(network, task)) }
            }
            try await group.waitForAll()
        }
        let bytes = try residentBytes()
        print("VGG-16, \(executors) at once: \(bytes / 1_000_000) MB")
        if executors == 1 { one = bytes }
        guard bytes < one + 264_000_000 else { fatalError("the weights are there more than once") }
    }
}

switch CommandLine.arguments.last {
case "memory": try await memory()
default: try await threads()
}
