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
        #expect(objects[2]["best"] == nil)

        let table = try run("runs all").lines
        #expect(table.count == 4 && table[0].hasPrefix("run ") && table[0].contains("--lr"))
        #expect(table[1].hasPrefix("a ") && table[1].contains("2/2") && !table[0].contains("--arch"))
        #expect(try run("runs all/b").lines.count == 2)
        try Data("{".utf8).write(to: folder.url("all/b/config.json"))
        let damaged = try run("runs all")
        #expect(
            damaged.status == 0 && damaged.lines.count == 3 && damaged.errors.contains("all/b/config.json"))
        for (wrong, says) in [
            ("runs nowhere", "nowhere: there is no such folder"), ("runs all/empty", "holds no runs"),
        ] {
            let result = try run(wrong)
            #expect(result.status == 1 && result.errors.contains(says), "\(result.errors)")
        }
    }
}
