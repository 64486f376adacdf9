import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// Test images written out as photos are the same to the network as the data set's own.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func photosAreSeenAsTestImagesAre() throws {
        #expect(try run(greyTraining).status == 0)
        for index in 0..<5 { try writeTestImage(index, to: "photos/\(index % 2)/\(index).png") }
        let expected = try (0..<5).map { index in
            try #require(try run("predict run --index \(index) --format json").objects().first)
        }
        // In the order of the paths: those of the folder 0, then those of the folder 1.
        let order = [0, 2, 4, 1, 3]
        for batchSize in [1, 2, 3, 16] {
            let result = try run("predict run photos --batch-size \(batchSize) --format json")
            #expect(result.status == 0 && result.errors.isEmpty)
            let found = try result.objects()
            #expect(found.map { $0["file"] as? String } == order.map { "photos/\($0 % 2)/\($0).png" })
            for (photo, index) in zip(found, order) {
                #expect(photo["logits"] as? [Double] == expected[index]["logits"] as? [Double])
                #expect(Set(photo.keys) == ["file", "logits", "top"])
            }
            let top = try #require(found[0]["top"] as? [[String: Any]])
            #expect(top.count == 5 && top.allSatisfy { $0["class"] is String && $0["probability"] is Double })
            #expect(
                top[0]["class"] as? String == (expected[0]["top"] as? [[String: Any]])?[0]["class"] as? String
            )
        }
        let input = try run("predict run - --format json", shell: "exec < photos/1/3.png").objects()
        #expect(input.first?["file"] as? String == "-")
        #expect(input.first?["logits"] as? [Double] == expected[3]["logits"] as? [Double])
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func aBrokenPhotoDoesNotStopTheOthers() throws {
        #expect(try run(greyTraining).status == 0)
        for index in 0..<3 { try writeTestImage(index, to: "\(index).png") }
        try folder.bytes("1.png").prefix(60).write(to: folder.url("broken.png"))
        try Data("no picture".utf8).write(to: folder.url("text.jpg"))
        try FileManager.default.createDirectory(at: folder.url("empty"), withIntermediateDirectories: true)
        let result = try run(
            "predict run 0.png broken.png missing.png 1.png text.jpg empty 2.png --batch-size 2 --format json"
        )
        #expect(result.status == 1)
        let objects = try result.objects()
        #expect(
            objects.map { $0["file"] as? String }
                == ["empty", "0.png", "broken.png", "missing.png", "1.png", "text.jpg", "2.png"])
        #expect(objects.map { $0["error"] == nil } == [false, true, false, false, true, false, true])
        #expect(objects.allSatisfy { ($0["error"] == nil) != ($0["logits"] == nil) })
        let errors = result.errors.split(separator: "\n").map(String.init)
        #expect(errors.count == 4 && errors.allSatisfy { $0.hasPrefix("error: ") })
        for said in [
            "broken.png: the PNG picture ends too early", "missing.png: cannot be opened",
            "text.jpg: is no JPEG",
            "empty: holds no photos",
        ] { #expect(errors.contains { $0.contains(said) }, "\(said)") }

        let input = try run("predict run - --format json", shell: "exec < broken.png").objects()
        #expect(input.first?["file"] as? String == "-" && input.first?["error"] != nil)

        // Nothing but broken ones, and nothing at all.
        #expect(try run("predict run broken.png").status == 1)
        let nothing = try run("predict run empty")
        #expect(nothing.status == 1 && nothing.output.isEmpty)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func classesHaveTheNamesOfAFile() throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(0, to: "photo.png")
        func classes(_ arguments: String) throws -> [String?] {
            let result = try run("predict run photo.png --top 10 --format json \(arguments)")
            #expect(result.status == 0, "\(result.errors)")
            let top = try #require(try result.objects().first?["top"] as? [[String: Any]])
            return top.sorted { ($0["label"] as! Int) < ($1["label"] as! Int) }.map { $0["class"] as? String }
        }
        let own = try classes("")
        #expect(own.first == "t-shirt" && own.last == "ankle boot")

        let names = (0..<10).map { "class \($0)" }
        try Data((names.joined(separator: "\r\n") + "\n\n").utf8).write(to: folder.url("names.txt"))
        #expect(try classes("--labels names.txt") == names)
        let index = names.enumerated().map { "\"\($0)\": [\"n0\($0)\", \"\($1)\"]" }.joined(separator: ", ")
        try Data("{\(index)}".utf8).write(to: folder.url("names.json"))
        #expect(try classes("--labels names.json") == names)

        let text = try run("predict run photo.png --labels names.txt --top 2").lines
        #expect(text.count == 3 && text[0] == "photo.png" && text[1].contains(" %  class "))

        try Data("one\ntwo\n".utf8).write(to: folder.url("two.txt"))
        let few = try run("predict run photo.png --labels two.txt")
        #expect(few.status == 1 && few.errors.contains("names 2 classes, but the network has 10"))
        try Data("{\"0\": 1}".utf8).write(to: folder.url("bad.json"))
        #expect(try run("predict run photo.png --labels bad.json").errors.contains("no name for class 0"))
    }

    /// A preparation that the network cannot take, and sizes that it was not trained for.
    @Test func refusesPreparationsThatDoNotFit() throws {
        #expect(try run(greyTraining).status == 0)
        let colour = try run("predict run photo.png --preprocessing imagenet")
        #expect(
            colour.status == 64 && colour.errors.contains("1 input channel, but photos are prepared with 3"))
        let size = try run("predict run photo.png --size 32")
        #expect(size.status == 1 && size.errors.contains("classifier.0.weight"))
        let large = try run("predict run photo.png --size 9000")
        #expect(large.status == 64 && large.errors.contains("--size must be between 1 and 8192, not 9000"))
    }
}
