import Foundation
import Testing
import VGGFiles
import VGGInference
import VGGTestSupport
import VGGTraining

/// A run's figures in other programs' forms.
@Suite struct RunLogTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ epochs: Int) -> TrainingConfiguration {
        var configuration = smallConfiguration()
        configuration.epochs = epochs
        configuration.log = [.tensorboard, .csv]
        return configuration
    }

    /// The messages of an event file, without looking at their checksums, which `EventFileTests` compares.
    private func messages(_ run: RunFolder) throws -> [[UInt8]] {
        let bytes = try [UInt8](run.bytes(\.eventsPath))
        var messages: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            let length = bytes[position..<position + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
            messages.append(Array(bytes[position + 12..<position + 12 + length]))
            position += length + 16
        }
        return messages
    }

    /// The steps of the events, all of less than 128, and their times.
    private func events(_ run: RunFolder) throws -> (steps: [Int], times: [Double]) {
        let messages = try messages(run)
        #expect(messages.first?.suffix(13) == Array("brain.Event:2".utf8)[...])
        let times = messages.map { message in
            Double(bitPattern: message[1...8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        return (messages.dropFirst().map { Int($0[10]) }, times)
    }

    @Test func tensorBoardGetsEveryRecordOnce() throws {
        let run = folder.run("run")
        let trainer = try trainer(configuration(2), folder: run)
        // The file grows with every step.
        trainer.checkpointInterval = .zero
        _ = try trainer.run()
        let metrics = try run.readMetrics()
        let (steps, times) = try events(run)
        #expect(steps == metrics.map(\.step) && steps.count == 12)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 + 0.01 })
        #expect(abs(try #require(times.last) - Date().timeIntervalSince1970) < 60)
        let text = try messages(run).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            text.count { $0.contains("loss/train") } == 12 && text.count { $0.contains("accuracy/test") } == 2
        )
    }

    /// What came after the last checkpoint is cut out when a run goes on.
    @Test func aResumedRunHasTheSameEvents() throws {
        let run = folder.run("run")
        var done = 0
        _ = try trainer(configuration(2), folder: run).run { event in
            if case .step = event { done += 1 }
        } shouldStop: {
            done >= 7
        }
        #expect(try events(run).steps == [1, 2, 3, 4, 5, 6, 7])
        // A program that shows it reads on in the file that it has open.
        let reader = try FileHandle(forReadingFrom: URL(filePath: run.eventsPath))
        let before = try #require(try reader.readToEnd())
        _ = try trainer(configuration(3), folder: run, resuming: true).run()
        #expect(try events(run).steps == run.readMetrics().map(\.step))
        let whole = try run.bytes(\.eventsPath)
        #expect(try before + #require(try reader.readToEnd()) == whole)

        // What is damaged, or from after the checkpoint, is cut out; what is no event file is replaced.
        let file = URL(filePath: run.eventsPath)
        let damaged = [whole.dropLast(5), whole + Data([1, 2, 3]), Data("no events".utf8), Data()]
        for (index, bytes) in damaged.enumerated() {
            try bytes.write(to: file)
            _ = try trainer(configuration(4 + index), folder: run, resuming: true).run()
            #expect(try events(run).steps == run.readMetrics().map(\.step))
        }
    }

    /// Between two checkpoints, too.
    @Test func eventsThatAreLostAreWrittenAnew() throws {
        let run = folder.run("run")
        let trainer = try trainer(configuration(2), folder: run)
        trainer.checkpointInterval = .zero
        var steps = 0
        _ = try trainer.run { event in
            guard case .step = event else { return }
            steps += 1
            if steps == 3 { try? Data().write(to: URL(filePath: run.eventsPath)) }
            if steps == 6 { try? FileManager.default.removeItem(atPath: run.eventsPath) }
        }
        #expect(try events(run).steps == run.readMetrics().map(\.step) && steps > 6)
    }

    @Test func theTableHasARowAnEpoch() throws {
        let run = folder.run("run")
        _ = try trainer(configuration(3), folder: run).run()
        let lines = try String(contentsOfFile: run.tablePath, encoding: .utf8).split(separator: "\n")
        let rows = lines.map { $0.split(separator: ",").map(String.init) }
        let epochs = try run.readMetrics().compactMap {
            if case .epoch(let figures) = $0 { figures } else { nil }
        }
        #expect(rows.count == 4 && rows.allSatisfy { $0.count == 9 })
        let column = try #require(rows[0].firstIndex(of: "test_loss"))
        #expect(rows.dropFirst().compactMap { Double($0[column]) } == epochs.map(\.testLoss))
        #expect(rows.dropFirst().map { $0[0] } == ["1", "2", "3"])
        // Nobody has asked for it.
        let plain = folder.run("plain")
        _ = try trainer(smallConfiguration(), folder: plain).run()
        for path in [plain.tablePath, plain.eventsPath] {
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    private struct Trace: Decodable {
        struct Event: Decodable {
            var name: String
            var ph: String
            var ts: Double?
            var dur: Double?
            var tid: Int
        }

        var traceEvents: [Event]
    }

    /// Each step's parts, one after another.
    @Test func aTraceHasThePartsOfTheFirstSteps() throws {
        var configuration = configuration(1)
        configuration.log = [.trace]
        let run = folder.run("traced")
        let data = stripes(count: 8 * 3)
        configuration.batchSize = 8
        _ = try Trainer(
            TrainingSetup(configuration, training: data, test: data, device: .cpu(threads: 1), folder: run)
        )
        .run()
        let events = try JSONDecoder().decode(
            Trace.self, from: Data(contentsOf: URL(filePath: run.tracePath))
        )
        .traceEvents
        let parts = events.filter { $0.ph == "X" && $0.tid == 1 }
        let names = parts.map(\.name)
        let step = try #require(names.firstIndex(of: "update")) + 1
        #expect(names[0] == "input" && names[1].hasPrefix("forward features.0"))
        #expect(names[0..<step].contains("loss") && names[0..<step].contains { $0.hasPrefix("backward ") })
        // Three steps alike.
        #expect(
            Array(names[step..<2 * step]) == Array(names[0..<step])
                && names.filter { $0 == "update" }.count == 3)
        for (part, next) in zip(parts, parts.dropFirst()) {
            let end = try #require(part.ts) + #require(part.dur)
            #expect(try end <= #require(next.ts) + 1e-3, "\(part.name) and \(next.name)")
        }
    }

    /// Its first steps are the run's, and not those after it went on.
    @Test func aTraceStaysWhenTheRunGoesOn() throws {
        var configuration = configuration(1)
        configuration.log = [.trace]
        let run = folder.run("traced")
        let data = stripes(count: 8)
        func train() throws {
            let setup = try TrainingSetup(
                configuration, training: data, test: data, device: .cpu(threads: 1), folder: run,
                resuming: run.holdsRun)
            _ = try Trainer(setup).run()
        }
        try train()
        let trace = try Data(contentsOf: URL(filePath: run.tracePath))
        for _ in 0..<2 {
            try train()
            #expect(try Data(contentsOf: URL(filePath: run.tracePath)) == trace)
            configuration.epochs += 1
        }
        // Nothing was done that could be traced.
        try FileManager.default.removeItem(atPath: run.tracePath)
        configuration.epochs -= 1
        try train()
        #expect(!FileManager.default.fileExists(atPath: run.tracePath))
    }

    /// Of a training of fewer steps, finished or stopped, as of a longer one; what is trained is saved.
    @Test(arguments: [false, true]) func aTraceThatCannotBeWrittenIsAnError(isStopped: Bool) throws {
        var configuration = configuration(1)
        configuration.log = [.trace]
        let run = folder.run("run")
        var (steps, ends) = (0, 0)
        let error = #expect(throws: FileError.self) {
            _ = try trainer(configuration, folder: run).run { event in
                switch event {
                case .started:
                    try? FileManager.default.createDirectory(
                        atPath: "\(run.tracePath)/in-the-way", withIntermediateDirectories: true)
                case .step: steps += 1
                case .finished, .interrupted: ends += 1
                default: break
                }
            } shouldStop: {
                isStopped && steps > 0
            }
        }
        #expect(error?.path == run.tracePath && ends == 0)
        #expect(FileManager.default.fileExists(atPath: run.checkpointPath))
    }
}
