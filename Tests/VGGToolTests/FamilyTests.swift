import Foundation
import Testing
import VGGKit
import VGGTestSupport

/// What torchvision says to three photos with each of its networks (Scripts/goldens/family.py).
private let family = Bundle.module.bundleURL.appending(path: "Goldens/family")

private struct Answer: Decodable {
    let logits: [Double]
    let probabilities: [Double]

    static func all() throws -> [String: [String: Answer]] {
        try JSONDecoder().decode(
            [String: [String: Answer]].self, from: Data(contentsOf: family.appending(path: "logits.json")))
    }
}

extension ToolTests {
    /// From the weight file and the photo to the probabilities, with nothing said but their names.
    @Test(
        .enabled(if: [.jpeg, .png, .webp].allSatisfy { (format: ImageFormat) in format.isSupported }),
        arguments: [".pth", "-legacy.pth", ".safetensors"])
    func predictsWhatTorchvisionDoes(_ container: String) throws {
        let answers = try Answer.all()
        #expect(answers.count == 8, "Scripts/goldens/family.py asks all that torchvision has")
        for (arch, expected) in answers {
            #expect(expected.count == 3)
            let photos = expected.keys.sorted()
            let paths = photos.map { family.appending(path: $0).path }
            let weights = family.appending(path: arch + container).path
            let process = try Program.start(
                ["predict", weights] + paths + ["--format", "json", "--top", "5"], in: folder)
            let result = try Program.finish(process, in: folder)
            #expect(result.status == 0)
            // So narrow, their rows are those of no known depth: one line shows them.
            let notes = result.errors.split(separator: "\n")
            #expect(notes.count == 1)
            #expect(notes.allSatisfy { $0.hasPrefix("note: ") && $0.contains("read as ") })
            let objects = try result.objects()
            #expect(objects.map { $0["file"] as? String } == paths)
            for (photo, found) in zip(photos, objects) {
                let answer = try #require(expected[photo])
                let logits = try #require(found["logits"] as? [Double])
                expectClose(
                    logits, answer.logits, tolerance: 1e-4, absolute: 0,
                    "logits of \(arch)\(container), \(photo)")
                let top = try #require(found["top"] as? [[String: Any]])
                let order = answer.probabilities.indices.sorted {
                    answer.probabilities[$0] > answer.probabilities[$1]
                }.prefix(5)
                #expect(top.map { $0["label"] as? Int } == Array(order))
                expectClose(
                    try top.map { try #require($0["probability"] as? Double) },
                    order.map { answer.probabilities[$0] }, within: 1e-4,
                    "probabilities of \(arch)\(container), \(photo)")
            }
        }
    }
}
