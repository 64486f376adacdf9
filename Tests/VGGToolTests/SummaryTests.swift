import Foundation
import Testing

extension ToolTests {
    /// The chapter's print-out: five blocks, then the classifier's eight layers.
    @Test func summaryPrintsTheChaptersShapes() throws {
        let lines = try run("summary").lines
        let shapes = lines.prefix(13).map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        #expect(
            shapes.map { $0[0] } == Array(repeating: "Sequential", count: 5) + [
                "Flatten", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear",
            ])
        let expected = [
            "[1, 64, 112, 112]", "[1, 128, 56, 56]", "[1, 256, 28, 28]", "[1, 512, 14, 14]", "[1, 512, 7, 7]",
            "[1, 25088]", "[1, 4096]",
        ]
        for (index, shape) in expected.enumerated() {
            #expect(lines[index].hasSuffix("output shape: \(shape)"))
        }
        #expect(lines[12].hasSuffix("output shape: [1, 10]"))
        #expect(lines.contains { $0.hasPrefix("parameters:") && $0.hasSuffix(" 128,806,154") })
    }

    /// torchvision's figures for VGG-16.
    @Test func summaryAsJSON() throws {
        let result = try run(
            "summary --arch vgg16 --in-channels 3 --classes 1000 --batch-size 2 --precision fp32 --format json"
        )
        let object = try #require(try result.objects().first)
        #expect(object["params"] as? Int == 138_357_544)
        #expect(object["macs"] as? Int == 15_470_264_320)
        let layers = try #require(object["layers"] as? [[String: Any]])
        #expect(layers.count == 39)
        #expect(layers[0]["name"] as? String == "features.0" && layers[0]["kind"] as? String == "Conv2d")
        #expect(layers[0]["output"] as? [Int] == [2, 64, 224, 224])
        #expect(layers[0]["params"] as? Int == 1792 && layers[0]["macs"] as? Int == 86_704_128)
        let memory = try #require(object["memory"] as? [String: Int])
        #expect(try #require(memory["training"]) > #require(memory["inference"]))
        #expect(try #require(memory["inference"]) > 4 * 138_357_544)
    }

    @Test func summaryByLayerNamesEveryLayer() throws {
        let output = try run("summary --by layer --arch alexnet").output
        for name in ["features.0 ", "features.12 ", "flatten ", "classifier.6 "] {
            #expect(output.contains(name))
        }
        #expect(output.contains("46,764,746"))
    }

    @Test func summaryTakesRowsOfOnesOwn() throws {
        let lines = try run("summary --conv-arch 1x16,2x32 --arch vgg11_bn --size 28 --width-divisor 2").lines
        #expect(lines[0].hasSuffix("[1, 8, 14, 14]") && lines[1].hasSuffix("[1, 16, 7, 7]"))
    }

    /// The drawing is what the ending says, and another ending is refused.
    @Test func summaryDrawsTheNetwork() throws {
        let text = try run("summary --conv-arch 1x8,2x16 --size 32 --draw small.svg --precision fp32")
        let drawn = try String(contentsOf: folder.url("small.svg"), encoding: .utf8)
        #expect(text.status == 0 && drawn.hasPrefix("<svg ") && drawn.contains("3×3 conv (16), pad 1"))
        for line in text.lines where line.contains("memory:") { #expect(drawn.contains(line), "\(line)") }
        #expect(drawn.contains("inference memory:"))
        #expect(try run("summary --conv-arch 1x8 --size 32 --draw small.png").status == 0)
        let png = try Data(contentsOf: folder.url("small.png"))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let wrong = try run("summary --draw small.gif")
        #expect(wrong.status == 64 && wrong.errors.contains("must end in .svg or .png"))
    }
}
