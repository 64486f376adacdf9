import Foundation
import Testing
import VGGFiles
import VGGInference
import VGGPictures
import VGGTestSupport
import VGGTraining

/// What programs that watch runs read.
@Suite struct RunRecordTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func step(_ step: Int, of steps: Int, loss: Double) -> String {
        """
        {"epoch":\((step - 1) / steps + 1),"event":"step","examples_per_sec":1234.5,"seconds":\(step),\
        "step":\(step),"step_in_epoch":\((step - 1) % steps + 1),"steps_per_epoch":\(steps),\
        "train_acc":0.5,"train_loss":\(loss)}
        """
    }

    /// Lines as they are written are read as any JSON is, to the bit, and others are understood all the same.
    @Test func linesAreReadAsJSONIs() throws {
        let epoch = """
            {"epoch":2,"event":"epoch","examples_per_sec":100.25,"seconds":0.1,"step":20,"test_acc":0.75,\
            "test_loss":0.30000000000000004,"train_acc":0.8,"train_loss":5e-324,"val_acc":1,"val_loss":1.5e-7,\
            "wall_examples_per_sec":99}
            """
        var good = [epoch, epoch.replacing("\"val_acc\":1,\"val_loss\":1.5e-7,", with: "")]
        var random = SystemRandomNumberGenerator()
        good += (1...200).map { number in
            step(number, of: 10, loss: Double.random(in: 0..<3, using: &random))
        }
        // What only a reader of any JSON understands.
        good += [
            epoch.replacing(":", with: ": "), epoch.replacing("5e-324", with: "\"inf\""),
            epoch.replacing("\"epoch\":2", with: "\"new\":[1,{}],\"epoch\":2"),
            epoch.replacing("event", with: "\\u0065vent"),
        ]
        let bad = [
            "{", "{}", "[]", epoch + "x", String(epoch.dropLast()),
            epoch.replacing("\"test_acc\":0.75,", with: ""), epoch.replacing(":100.25", with: ":0x10"),
            epoch.replacing(":100.25", with: ":inf"), epoch.replacing("\"epoch\":2", with: "\"epoch\":2.5"),
            epoch.replacing("\"event\":\"epoch\"", with: "\"event\":\"other\""),
        ]
        let run = folder.run("a")
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
        try Data((good + bad).joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: run.metricsPath))
        let (records, damaged) = try run.readMetricLines()
        #expect(try records == good.map { try JSONText.decode(MetricsRecord.self, from: $0) })
        #expect(damaged == Array(good.count + 1...good.count + bad.count))
        for line in bad {
            #expect(throws: (any Error).self) { try JSONText.decode(MetricsRecord.self, from: line) }
        }
    }

    /// They are on the screen within seconds; a reader of any JSON takes more than a minute.
    @Test(.timeLimit(.minutes(1))) func aMillionLinesAreDrawn() throws {
        let run = folder.run("long")
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
        let count = 1_000_000
        var text = ""
        for number in 1...count {
            // One loss in a million stands out.
            text +=
                step(number, of: 1000, loss: number == 654_321 ? 9 : 1 / Double(number).squareRoot()) + "\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: run.metricsPath))
        text = ""
        let chart = LineChart(try run.readMetrics(), title: "", epochs: 1000)
        #expect(chart.series[0].points.count == count)
        let thin = chart.series[0].thinned(to: 800, over: chart.xRange)
        #expect(thin.points.count <= 4 * 800 && thin.points.count > 2 * 700)
        #expect(thin.points.contains { $0.y == 9 })
    }

    /// What has been read of the figures is not read again, unless they are others.
    @Test func onlyWhatIsNewIsRead() throws {
        let run = folder.run("grows")
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
        var tail = MetricsTail(of: run)
        /// The steps that are new, after -1 where all before are forgotten.
        func new() throws -> [Int] {
            var steps: [Int] = []
            try tail.read(forget: { steps.append(-1) }, visit: { steps.append($0.step) })
            return steps
        }
        func write(_ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: run.metricsPath), options: .atomic)
        }
        func lines(_ numbers: ClosedRange<Int>, loss: Double = 0.5) -> String {
            numbers.map { step($0, of: 1000, loss: loss) + "\n" }.joined()
        }
        #expect(try new() == [])
        try write("")
        #expect(try new() == [])
        // Longer than a block, and with an end that is not there yet.
        let half = step(20_001, of: 1000, loss: 0.5)
        try write(lines(1...20_000) + half.prefix(20))
        #expect(try new() == Array(1...20_000))
        #expect(try new() == [])
        // Nobody looks at the beginning again: here it is another one of the same length.
        let other = String(lines(1...20_000).dropFirst(30)).replacing("0.5", with: "0.6", maxReplacements: 1)
        try write(String(repeating: "x", count: 30) + other + half + "\nno line\n")
        #expect(try new() == [20_001])
        // A run that went on from an earlier checkpoint, and one that begins anew.
        try write(lines(1...15_000) + lines(15_001...20_100, loss: 0.7))
        #expect(try new() == [-1] + Array(1...20_100))
        try write(lines(1...3))
        #expect(try new() == [-1, 1, 2, 3])
        try FileManager.default.removeItem(atPath: run.metricsPath)
        #expect(try new() == [-1] && new() == [])
    }

    /// A run trains as long as somebody holds its lock; then it is finished, or can go on.
    @Test func aRunSaysWhatItIsDoing() throws {
        let run = folder.run("a")
        var watched: WatchedRun
        do {
            let trainer = try trainer(smallConfiguration(), folder: run)
            let record = try RunRecord(run)
            watched = try WatchedRun(run)
            #expect(watched.record == record)
            #expect(run.isInTraining && record.state == .training && record.steps == 0 && record.best == nil)
            _ = try trainer.run()
        }
        let record = try RunRecord(run)
        try watched.update()
        #expect(watched.record == record)
        #expect(!run.isInTraining && record.state == .finished && record.progress == 2)
        let epochs = try run.readMetrics().compactMap {
            if case .epoch(let figures) = $0 { figures } else { nil }
        }
        #expect(record.last == epochs.last && record.best?.testAcc == epochs.map(\.testAcc).max())
        var longer = smallConfiguration()
        longer.epochs = 3
        longer.maxSteps = record.steps
        // Going on to more epochs, but no more steps.
        _ = try trainer(longer, folder: run, resuming: true).run()
        #expect(try RunRecord(run).state == .finished)
        try Data("{\"problem\":\"diverged\",\"epoch\":1,\"step\":1,\"message\":\"m\",\"advice\":[]}".utf8)
            .write(to: URL(fileURLWithPath: run.diagnosisPath))
        #expect(try RunRecord(run).state == .diverged)
        try watched.update()
        #expect(try watched.record == RunRecord(run))
        #expect(try RunFolder.names(in: folder.path) == ["a"] && RunFolder.names(in: run.path) == [""])
    }
}
