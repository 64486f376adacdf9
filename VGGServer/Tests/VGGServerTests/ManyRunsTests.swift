import Foundation
import Testing
import VGGServer

/// The studio with more than a screen can show: the bounds are generous, and far below what everything would take.
@Suite(.serialized) struct ManyRunsTests {
    private let runs = TestRuns()

    private static func step(_ step: Int, loss: Double) -> String {
        """
        {"epoch":\((step - 1) / 1000 + 1),"event":"step","examples_per_sec":1234.5,"seconds":\(step),"step":\(step),\
        "step_in_epoch":\((step - 1) % 1000 + 1),"steps_per_epoch":1000,"train_acc":0.5,"train_loss":\(loss)}

        """
    }

    private func timed<Result>(_ limit: Duration, _ what: String, _ work: () async throws -> Result)
        async throws
        -> Result
    {
        let start = ContinuousClock.now
        let result = try await work()
        let taken = ContinuousClock.now - start
        #expect(taken < limit, "\(what)")
        return result
    }

    @Test(.timeLimit(.minutes(3))) func aThousandRunsAreATable() async throws {
        defer { runs.remove() }
        let metrics = TestRuns.epochs([1, 0.5, 0.25])
        for number in 0..<1000 {
            try runs.add(String(format: "%04d", number), rate: Float(number + 1) / 1000, metrics: metrics)
        }
        let path = runs.path
        try await withServer(settings { $0.runs = path }) { client in
            let first = try await timed(.seconds(20), "the first table") {
                try await client.get("/studio/api/runs")
            }
            #expect(try first.json["runs"]?.elements?.count == 1000)
            #expect(first.body.count < 600_000)
            try await Task.sleep(for: .milliseconds(500))
            let second = try await timed(.seconds(2), "the next") { try await client.get("/studio/api/runs") }
            #expect(second.body == first.body)
            let runs = (0..<24).map { "run=\(String(format: "%04d", 40 * $0))" }.joined(separator: "&")
            let curves = try await timed(.seconds(2), "curves of 24 runs") {
                try await client.get("/studio/api/curves?columns=1000&\(runs)").json
            }
            #expect(curves["0920"]?["test_acc"] == .numbers([1, 0.5, 2, 0.5, 3, 0.5]))
        }
    }

    @Test(.timeLimit(.minutes(3))) func aMillionLinesAreACurve() async throws {
        defer { runs.remove() }
        var text = Data()
        for number in 1...1_000_000 {
            // One loss in a million stands out.
            text += Data(
                Self.step(number, loss: number == 654_321 ? 9 : 1 / Double(number).squareRoot()).utf8)
        }
        text += Data(TestRuns.epoch(1000).utf8)
        try runs.add("long", rate: 0.1, metrics: text)
        let (path, all) = (runs.path, text)
        try await withServer(settings { $0.runs = path }) { client in
            let table = try await timed(.seconds(30), "the first table") {
                try await client.get("/studio/api/runs").json
            }
            #expect(table["runs"]?.elements?.first?["last"]?["epoch"] == 1000)
            let address = "/studio/api/curves?run=long&columns=800"
            let first = try await timed(.seconds(30), "the first curves") { try await client.get(address) }
            #expect(first.body.count < 400_000 && all.count > 100_000_000)
            guard case .numbers(let numbers) = try first.json["long"]?["train_loss"] else {
                Issue.record("no curve")
                return
            }
            #expect(numbers.count <= 2 * 4 * 800 && numbers.count > 2 * 1200)
            #expect(stride(from: 1, to: numbers.count, by: 2).contains { numbers[$0] == 9 })
            // A line more is read alone, smooth or not.
            try runs.write(all + Data(TestRuns.epoch(1001).utf8), of: "long")
            try await Task.sleep(for: .milliseconds(500))
            let second = try await timed(.seconds(3), "the next curves") {
                try await client.get("\(address)&smoothing=0.9")
            }
            #expect(try second.json["long"]?["test_acc"] == .numbers([1000, 0.5, 1001, 0.5]))
            #expect(second.body.count < 400_000)
        }
    }
}
