import Foundation
import Testing
import VGGModel
import VGGPictures

@Suite struct NetworkDrawingTests {
    private func drawing() throws -> NetworkDrawing {
        NetworkDrawing(
            try vgg([(1, 8), (2, 16)], size: 32, classes: 10, batchNorm: true, hiddenFeatures: [20]),
            title: "small", remarks: ["a remark"])
    }

    /// A box for each layer that has weights or makes another shape, in order, with what the network says of it.
    @Test func everyLayerIsInABox() throws {
        let drawing = try drawing()
        let boxes = drawing.boxes
        #expect(boxes.map(\.layers).reduce([]) { $0 + $1 } == Array(drawing.network.layers.indices))
        #expect(boxes.map(\.layers) == [0..<3, 3..<4, 4..<7, 7..<10, 10..<11, 11..<12, 12..<15, 15..<16])
        let facts = boxes.map(drawing.facts)
        #expect(facts[0].output == .map(channels: 8, height: 32, width: 32) && facts[0].bytes == 32768)
        #expect(facts[0].parameters == 8 * 9 + 8 + 16 && facts[0].multiplyAccumulates == 8 * 9 * 1024)
        #expect(facts.map(\.parameters).reduce(0, +) == drawing.network.parameterCount)
        #expect(facts.map(\.multiplyAccumulates).reduce(0, +) == drawing.network.multiplyAccumulates)
        #expect(drawing.explanation(boxes[1]) == "pool1 (features.3): MaxPool2d, 8×32×32 to 8×16×16")
        #expect(
            drawing.explanation(boxes[7]).hasPrefix("fc4 (classifier.3): Linear, 20 to 10, 210 parameters"))
    }

    /// The texts from the top to the bottom are those of the chapter's figure.
    @Test func theFigureSaysWhatTheChapterSays() throws {
        let document = try drawing().svg()
        let svg = try SVG(document)
        let said = svg.texts.filter { text in
            ["conv", "pool", "FC", "flatten", "batch norm", "dropout", "block"].contains {
                text.contains($0)
            }
        }
        #expect(
            said == [
                "block 1", "3×3 conv (8), pad 1", "batch norm, ReLU", "2×2 max pool, stride 2", "block 2",
                "3×3 conv (16), pad 1", "batch norm, ReLU", "3×3 conv (16), pad 1", "batch norm, ReLU",
                "2×2 max pool, stride 2", "flatten", "FC (20)", "ReLU, dropout 0.5", "FC (10)",
            ])
        for text in ["small", "image", "1×32×32", "16×8×8", "a remark", "32.8 kB"] {
            #expect(svg.texts.contains(text), "\(text)")
        }
        for id in ["layers-0-2", "layers-3-3", "layers-15-15"] {
            #expect(document.contains("<g id=\"\(id)\"><title>"), "\(id)")
        }
    }

    /// The longest bars belong to the most parameters and the most multiply-accumulates, and all bars are true to scale.
    @Test func barsCompare() throws {
        let drawing = try drawing()
        let bars = try SVG(drawing.svg()).rectangles.filter { $0["fill-opacity"] == "0.8" }
        for (colour, figure) in [
            ("#1f77b4", \NetworkDrawing.Facts.parameters), ("#ff7f0e", \.multiplyAccumulates),
        ] {
            let widths = bars.filter { $0["fill"] == colour }.compactMap { Double($0["width"] ?? "") }
            let numbers = drawing.boxes.map { drawing.facts($0)[keyPath: figure] }.filter { $0 > 0 }
            try #require(widths.count == numbers.count && !numbers.isEmpty)
            let most = try #require(numbers.max())
            for (width, number) in zip(widths, numbers) {
                #expect(abs(width - max(1, 66 * Double(number) / Double(most))) < 0.01)
            }
        }
    }

    /// Every network is drawn within its picture, one without blocks too, and pixels show what SVG shows.
    @Test func everyArchitectureFits() throws {
        for name in Architecture.allNames {
            var specification = ModelSpecification()
            specification.arch = name
            let drawing = NetworkDrawing(try specification.network(size: 224), title: name)
            let svg = try SVG(drawing.svg())
            let paper = try #require(svg.rectangles.first)
            let size = SIMD2(
                try #require(Double(paper["width"] ?? "")), try #require(Double(paper["height"] ?? "")))
            let points = svg.lines.flatMap(\.points)
            try #require(!points.isEmpty)
            for point in points {
                #expect(all(point .>= [0, 0]) && all(point .<= size), "\(name): \(point)")
            }
            // The last line is the totals', just above the lower edge.
            #expect(svg.texts.suffix(3).contains("in all") && size.y > 500, "\(name)")
        }
        let png = try PNG(drawing().png(scale: 1))
        #expect(png.width == 800)
        let colours = Set((0..<png.height).map { png.colour(x: 40, y: $0) })
        #expect(colours.isSuperset(of: [Colour(0xCFE3F5), Colour(0xF9DCC4), Colour(0xD3ECD0), .white]))
    }
}
