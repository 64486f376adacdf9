import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// The report's figures are those of the test, in words, in JSON and in its file, with its two pictures.
    @Test func evalReports() throws {
        #expect(try run("\(greyTraining) --epochs 2").status == 0)
        let plain = try #require(try run("eval run --test-limit 300 --format json").objects().first)
        #expect(plain["report"] == nil && plain["tta"] == nil)
        let result = try run("eval run --test-limit 300 --report out/first --format json")
        #expect(result.status == 0, "\(result.errors)")
        let object = try #require(try result.objects().first)
        for name in ["loss", "accuracy"] {
            #expect(object[name] as? Double == plain[name] as? Double, "\(name)")
        }
        let report = try #require(object["report"] as? [String: Any])
        let confusion = try #require(report["confusion"] as? [[Int]])
        #expect(confusion.count == 10 && confusion.joined().reduce(0, +) == 300)
        let right = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
        #expect(object["accuracy"] as? Double == Double(right) / 300)
        #expect(object["data"] as? String == "fashion-mnist")
        let classes = try #require(report["classes"] as? [[String: Any]])
        #expect(classes.first?["name"] as? String == "t-shirt" && classes.first?["f1_score"] is Double)
        #expect(classes.compactMap { $0["support"] as? Int } == confusion.map { $0.reduce(0, +) })
        let topFive = try #require(report["top_five_accuracy"] as? Double)
        #expect((Double(right) / 300...1).contains(topFive))
        let mistakes = try #require(report["mistakes"] as? [[String: Any]])
        #expect(mistakes.count == min(36, 300 - right) && mistakes.first?["file"] == nil)
        let worst = try #require(mistakes.first?["index"] as? Int)
        let seen = try #require(
            try run("predict run --data fashion-mnist --index \(worst) --format json").objects().first)
        #expect(seen["actual"] as? String == mistakes.first?["actual"] as? String)
        let stored = try JSONSerialization.jsonObject(with: folder.bytes("out/first/report.json"))
        #expect(stored as? NSDictionary == object as NSDictionary)
        for name in ["confusion", "mistakes"] {
            #expect(try RGBImage(contentsOf: folder.url("out/first/\(name).png").path).width > 300, "\(name)")
        }

        let text = try run("eval run --test-limit 300 --report out/first")
        #expect(text.lines.first?.hasPrefix("loss ") == true && text.output.contains("top-5 accuracy "))
        #expect(text.lines.contains { $0.hasPrefix("t-shirt ") } && text.output.contains("weighted average"))
        #expect(text.output.contains("confusion matrix: out/first/confusion.png\n"))
        try Data().write(to: folder.url("file"))
        let refused = try run("eval run --report file")
        #expect(refused.status == 1 && refused.errors.contains("file: cannot be made a folder"))
    }

    /// Views are the same in a test and in a prediction.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func viewsAreAveraged() throws {
        #expect(try run(greyTraining).status == 0)
        func figures(_ options: String) throws -> [String: Any] {
            let result = try run("eval run --test-limit 1 --format json \(options)")
            #expect(result.status == 0, "\(result.errors)")
            return try #require(try result.objects().first)
        }
        let plain = try figures("")
        var losses = [try #require(plain["loss"] as? Double)]
        try writeTestImage(0, to: "first.png")
        for tta in ["mirror", "shift:2", "mirror,shift:2"] {
            let mean = try figures("--tta \(tta)")
            #expect(mean["tta"] as? String == tta)
            let loss = try #require(mean["loss"] as? Double)
            #expect(!losses.contains(loss), "\(tta)")
            losses.append(loss)
            // The loss of one image says the probability of its class, which predict prints.
            for image in ["--index 0", "first.png"] {
                let data = image == "first.png" ? "" : "--data fashion-mnist"
                let seen = try #require(
                    try run("predict run \(data) \(image) --top 10 --tta \(tta) --format json").objects()
                        .first)
                #expect(seen["tta"] as? String == tta)
                #expect(seen["index"] as? Int == (image == "first.png" ? nil : 0))
                let top = try #require(seen["top"] as? [[String: Any]])
                let own = try #require(top.first { $0["class"] as? String == "ankle boot" })
                #expect(abs(exp(-loss) - (own["probability"] as? Double ?? 0)) < 1e-5, "\(tta) \(image)")
            }
        }
    }
}
