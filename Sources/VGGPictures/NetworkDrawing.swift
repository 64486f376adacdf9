import Foundation
import VGGFiles
import VGGModel

/// A network drawn from its table, in the manner of the chapter's figure: from the picture down to the answer a box for
/// each layer, and a frame around those of a block. Beside a box stand the shape that it makes, its parameters,
/// its multiply-accumulates and the memory of what it makes, and bars that compare them.
///
///     let drawing = NetworkDrawing(try vgg([(1, 64), (1, 128)]), title: "two blocks")
///     try AtomicFile.replace("two.svg", with: Data(drawing.svg().utf8))
public struct NetworkDrawing: Hashable, Sendable {
    /// What is drawn.
    public var network: Network
    /// Above the drawing; empty for none.
    public var title: String
    /// Lines below the drawing.
    public var remarks: [String]

    /// The drawing of a network, with lines of text above it.
    public init(_ network: Network, title: String = "", remarks: [String] = []) {
        (self.network, self.title, self.remarks) = (network, title, remarks)
    }

    /// The drawing as an SVG document. Each box is a group `layers-FIRST-LAST`, by the numbers of its layers from 0, with
    /// a title that explains them.
    public func svg() -> String { drawing().svg() }

    /// The drawing as a PNG file that shows what the SVG document shows.
    /// - Parameter scale: pixels a point, positive.
    public func png(scale: Double = 2) -> Data { drawing().bitmap(scale: scale).pngData() }

    /// What is drawn as one box: a layer, and those behind it that change each number by itself.
    package struct Box: Hashable {
        package var layers: Range<Int>
    }

    package var boxes: [Box] {
        var boxes: [Box] = []
        for (index, placed) in network.layers.enumerated() {
            switch (placed.layer.description.work, boxes.last) {
            case (.elementwise, let last?):
                boxes[boxes.count - 1].layers = last.layers.lowerBound..<index + 1
            default: boxes.append(Box(layers: index..<index + 1))
            }
        }
        return boxes
    }

    /// What stands beside a box.
    package struct Facts: Hashable {
        package var output: Shape
        package var parameters = 0
        package var multiplyAccumulates = 0
        /// Bytes of what a picture becomes, in single precision.
        package var bytes: Int { output.count * MemoryLayout<Float>.size }
    }

    package func facts(_ box: Box) -> Facts {
        let layers = network.layers[box.layers]
        return Facts(
            output: layers.last?.output ?? network.input,
            parameters: layers.map(\.parameterCount).reduce(0, +),
            multiplyAccumulates: layers.map(\.multiplyAccumulates).reduce(0, +))
    }

    /// What a box's layers are and do, in a line.
    package func explanation(_ box: Box) -> String {
        let names = Dictionary(
            network.layerAliases.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
        return box.layers.map { index in
            let placed = network.layers[index]
            var parts = ["\(placed.layer.className), \(placed.input) to \(placed.output)"]
            if placed.parameterCount > 0 {
                parts.append("\(ReadableNumber.grouped(placed.parameterCount)) parameters")
            }
            if placed.multiplyAccumulates > 0 {
                parts.append("\(ReadableNumber.grouped(placed.multiplyAccumulates)) MACs")
            }
            let name = names[index].map { "\($0) (\(placed.name))" } ?? placed.name
            return "\(name): " + parts.joined(separator: ", ")
        }.joined(separator: "; ")
    }
}

extension LayerDescription.Work {
    /// The colour of a box: one for each kind of work.
    var colour: Colour {
        switch self {
        case .convolution: Colour(0xCFE3F5)
        case .pool: Colour(0xF9DCC4)
        case .linear: Colour(0xD3ECD0)
        case .elementwise, .reshape: Colour(0xECECEC)
        }
    }
}
