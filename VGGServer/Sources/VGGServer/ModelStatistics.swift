import Foundation

/// What a model has done since the server began, as the protocol's statistics extension counts it.
struct ModelStatistics: Sendable {
    /// How often, and how long altogether.
    struct Total: Sendable {
        var count = 0
        var time = Duration.zero

        mutating func add(_ duration: Duration, count: Int = 1) {
            self.count += count
            time += duration
        }

        var json: JSON { ["count": .number(Double(count)), "ns": .number(time.nanoseconds)] }
    }

    var lastInference: Date?
    /// Images that were computed, and in how many batches.
    var inferences = 0
    var executions = 0
    var success = Total()
    var fail = Total()
    var queue = Total()
    var preparation = Total()
    var computation = Total()
    var answer = Total()
    /// By the number of images.
    var batches: [Int: Total] = [:]

    mutating func add(_ batch: Batcher.Timing) {
        lastInference = Date()
        inferences += batch.images
        executions += 1
        for wait in batch.waited { queue.add(wait) }
        // Each request has had all of its batch's time.
        computation.add(batch.computed * batch.requests, count: batch.requests)
        batches[batch.images, default: Total()].add(batch.computed)
    }

    func json(name: String) -> JSON {
        let empty = Total().json
        return [
            "name": .string(name), "version": .string(ServedModel.version),
            "last_inference": .number(lastInference.map { ($0.timeIntervalSince1970 * 1000).rounded() } ?? 0),
            "inference_count": .number(Double(inferences)), "execution_count": .number(Double(executions)),
            "inference_stats": [
                "success": success.json, "fail": fail.json, "queue": queue.json,
                "compute_input": preparation.json, "compute_infer": computation.json,
                "compute_output": answer.json, "cache_hit": empty, "cache_miss": empty,
            ],
            "batch_stats": .array(
                batches.sorted { $0.key < $1.key }.map { size, total in
                    [
                        "batch_size": .number(Double(size)), "compute_input": empty,
                        "compute_infer": total.json, "compute_output": empty,
                    ]
                }),
        ]
    }
}

extension Duration {
    var nanoseconds: Double { (self / .nanoseconds(1)).rounded() }
    var seconds: Double { self / .seconds(1) }
}
