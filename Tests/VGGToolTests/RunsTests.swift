import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// Only what differs has a column, and every run its figures.
    @Test func runsAreCompared() throws {
        let training = greyTraining.replacing(" --run-dir run", with: "")
        for (name, options) in [
            ("a", "--lr 0.05 --epochs 2 --val-split 0.1 --keep best"), ("b", "--lr 0.02 --epochs 1 --seed 4"),
            ("more/c", "--lr 0.02 --epochs 3 --max-steps 1 --seed 4"),
        ] {
            #expect(try run("\(training) \(options) --run-dir all/\(name)").status == 0, "\(name)")
        }
        try FileManager.default.createDirectory(
            at: folder.url("all/empty"), withIntermediateDirectories: true)
        let objects = try run("runs all --format json").objects()
        #expect(objects.compactMap { $0["run"] as? String } == ["a", "b", "more/c"])
        let options = objects.compactMap { $0["options"] as? [String: String] }
        #expect(options[0]["--lr"] == "0.05" && options[1]["--lr"] == "0.02")
        #expect(options[0]["--keep"] == "best" && options[2]["--keep"] == "last")
        #expect(options[0]["--batch-size"] == nil && options[0]["--arch"] == nil)
        let metrics = try RunFolder(folder.url("all/a").path).readMetrics().compactMap {
            if case .epoch(let figures) = $0 { figures } else { nil }
        }
        let best = try #require(objects[0]["best"] as? [String: Any])
        #expect(best["val_acc"] as? Double == metrics.compactMap(\.valAcc).max())
        let last = try #require(objects[0]["last"] as? [String: Any])
        #expect(last["epoch"] as? Int == 2 && last["test_acc"] as? Double == metrics.last?.testAcc)
        #expect(objects[2]["epochs"] as? Int == 0 && objects[2]["of_epochs"] as? Int == 3)
        #expect(objects[2]["best"] == nil && objects[2]["steps"] as? Int == 1)
        // What there is of an epoch that did not end.
        #expect(objects[2]["seconds"] as? Double != nil && objects[2]["train_loss"] as? Double != nil)

        let table = try run("runs all").lines
        #expect(table.count == 4 && table[0].hasPrefix("run ") && table[0].contains("--lr"))
        #expect(table[1].hasPrefix("a ") && table[1].contains("2/2") && !table[0].contains("--arch"))
        #expect(try run("runs all/b").lines.count == 2)
        try Data("{".utf8).write(to: folder.url("all/b/config.json"))
        let damaged = try run("runs all")
        #expect(
            damaged.status == 0 && damaged.lines.count == 3 && damaged.errors.contains("all/b/config.json"))
        try Data("no figures\n".utf8).write(to: folder.url("all/a/metrics.jsonl"))
        let without = try run("runs all/a")
        #expect(
            without.status == 0
                && without.errors == "warning: all/a/metrics.jsonl: not counted, as damaged: line 1\n")
        for (wrong, says) in [
            ("runs all/b", "all/b: none of its runs can be read"),
            ("runs nowhere", "nowhere: there is no such folder"), ("runs all/empty", "holds no runs"),
        ] {
            let result = try run(wrong)
            #expect(result.status == 1 && result.errors.contains(says), "\(result.errors)")
        }
    }

    /// Where a line has no room for the options, they follow; what is alone, or alike, has none.
    @Test(.enabled(if: hasTerminals)) func narrowTerminalsListTheOptionsBelow() throws {
        let training = greyTraining.replacing(" --run-dir run", with: "")
        for (name, options) in [("a", ""), ("b", "--momentum 0.9 --nesterov --smoothing 0.1 --max-steps 1")] {
            #expect(try run("\(training) \(options) --run-dir all/\(name)").status == 0)
        }
        let seen = lines(try sent("runs all", columns: 60))
        #expect(seen.count >= 5 && seen[0].hasPrefix("run ") && !seen[0].contains("--"), "\(seen)")
        #expect(seen[1].hasPrefix("a ") && seen[2].hasPrefix("b ") && seen[3].hasPrefix("a: --momentum 0.0 "))
        let below = seen.dropFirst(3).joined(separator: " ")
        #expect(below.contains("b: --momentum 0.9 --nesterov true") && seen.allSatisfy { $0.count <= 60 })
        #expect(lines(try sent("runs all", columns: 200))[0].contains("--momentum"))
        #expect(!lines(try sent("runs all/b", columns: 30)).contains { $0.hasPrefix("all/b:") })
    }
}
