import VGGFiles
import VGGModel

extension NetworkDrawing {
    private static let textSize = 12.0
    private static let grey = Colour(0x666666)
    private static let width = 800.0
    private static let boxes = (left: 28.0, right: 276.0, height: 34.0)
    private static let middle = (boxes.left + boxes.right) / 2
    /// Between two boxes, and what a frame's end and beginning between them add.
    private static let gap = (boxes: 14.0, end: 8.0, beginning: 10.0)
    /// Where the output begins, and where the numbers end.
    private static let columns = (output: 300.0, parameters: 462.0, operations: 642.0, memory: 784.0)
    private static let barLength = 66.0

    /// Lays out the boxes, one below the other, the frames of blocks and the table beside them.
    func drawing() -> Drawing {
        var drawing = Drawing(
            width: Int(Self.width), height: 0, title: title.isEmpty ? "neural network" : title)
        drawing.addHeading(title, middle: Self.width / 2)
        var y = title.isEmpty ? 24.0 : 50
        addHeader(at: y, to: &drawing)
        y += 26
        drawing.addText(
            "image", at: [Self.middle, y], size: Self.textSize, anchor: .middle, colour: Self.grey)
        add(Facts(output: network.input), at: y, to: &drawing)
        y += 5

        let boxes = boxes
        let facts = boxes.map(self.facts)
        let most = Facts(
            output: network.input, parameters: facts.map(\.parameters).max() ?? 0,
            multiplyAccumulates: facts.map(\.multiplyAccumulates).max() ?? 0)
        var frame: (block: Int, top: Double)?
        var blocks = 0
        for (box, own) in zip(boxes, facts) {
            let block = network.layers[box.layers.lowerBound].block
            var next = y + Self.gap.boxes
            if let open = frame, open.block != block {
                addFrame(from: open.top, to: y, in: &drawing)
                frame = nil
                next += Self.gap.end
            }
            if case .sequential = network.blocks[block], frame == nil {
                next += Self.gap.beginning
                blocks += 1
                frame = (block, next - 18)
                drawing.addText(
                    "block \(blocks)", at: [Self.boxes.right, next - 5], size: 10, anchor: .end,
                    colour: Self.grey)
            }
            addArrow(from: y, to: next, in: &drawing)
            y = next
            var inside = Drawing(width: 0, height: 0, title: "")
            add(box, at: y, to: &inside)
            add(own, most: most, at: y + Self.boxes.height / 2 + 4, to: &inside)
            drawing.marks.append(
                .group(
                    inside.marks, id: "layers-\(box.layers.lowerBound)-\(box.layers.upperBound - 1)",
                    title: explanation(box)))
            y += Self.boxes.height
        }
        if let frame { addFrame(from: frame.top, to: y, in: &drawing) }
        y += 26
        addTotals(at: y, to: &drawing)
        for remark in remarks {
            y += 18
            drawing.addText(remark, at: [Self.boxes.left, y], size: Self.textSize, colour: Self.grey)
        }
        drawing.height = Int(y) + 14
        return drawing
    }

    private func addHeader(at y: Double, to drawing: inout Drawing) {
        let columns: [(String, Double, TextAnchor)] = [
            ("output", Self.columns.output, .start), ("parameters", Self.columns.parameters, .end),
            ("multiply-adds", Self.columns.operations, .end), ("memory", Self.columns.memory, .end),
        ]
        for (text, x, anchor) in columns {
            drawing.addText(text, at: [x, y], size: Self.textSize, anchor: anchor, colour: Self.grey)
        }
    }

    private func addArrow(from top: Double, to bottom: Double, in drawing: inout Drawing) {
        let tip = Drawing.Point(Self.middle, bottom - 1)
        drawing.addLine([Self.middle, top + 1], tip, stroke: Stroke(Self.grey))
        drawing.addLine(tip + [-3, -4], tip, tip + [3, -4], stroke: Stroke(Self.grey))
    }

    private func addFrame(from top: Double, to bottom: Double, in drawing: inout Drawing) {
        drawing.addFrame(
            from: [Self.boxes.left - 10, top], to: [Self.boxes.right + 10, bottom + 7],
            stroke: Stroke(Colour(0x999999), dash: .dashed))
    }

    /// Adds a box: its first layer, and below it in small letters those behind it.
    private func add(_ box: Box, at y: Double, to drawing: inout Drawing) {
        let layers = network.layers[box.layers].map(\.layer.description)
        guard let first = layers.first else { return }
        let upperLeft = Drawing.Point(Self.boxes.left, y)
        let lowerRight = Drawing.Point(Self.boxes.right, y + Self.boxes.height)
        drawing.marks.append(
            .rectangle(from: upperLeft, to: lowerRight, colour: first.work.colour, opacity: 1))
        drawing.addFrame(from: upperLeft, to: lowerRight, stroke: Stroke(Self.grey))
        let rest = layers.dropFirst().map(\.figureText).joined(separator: ", ")
        drawing.addText(
            first.figureText, at: [Self.middle, y + (rest.isEmpty ? 22 : 16)], size: Self.textSize + 1,
            anchor: .middle)
        if !rest.isEmpty {
            drawing.addText(
                rest, at: [Self.middle, y + 29], size: 10, anchor: .middle, colour: Colour(0x444444))
        }
    }

    /// Adds a row of the table.
    /// - Parameters:
    ///   - most: the greatest numbers of all boxes, which have bars of full length; nil for a row without these numbers.
    ///   - base: the base line.
    private func add(_ facts: Facts, most: Facts? = nil, at base: Double, to drawing: inout Drawing) {
        drawing.addText("\(facts.output)", at: [Self.columns.output, base], size: Self.textSize)
        drawing.addText(
            ReadableNumber.bytes(facts.bytes), at: [Self.columns.memory, base], size: Self.textSize,
            anchor: .end)
        guard let most else { return }
        let bars: [(Int, Int, Double, Colour)] = [
            (facts.parameters, most.parameters, Self.columns.parameters, .blue),
            (facts.multiplyAccumulates, most.multiplyAccumulates, Self.columns.operations, .orange),
        ]
        for (number, greatest, x, colour) in bars where number > 0 {
            drawing.addText(
                ReadableNumber.grouped(number), at: [x, base], size: Self.textSize, anchor: .end)
            let length = max(1, Self.barLength * Double(number) / Double(greatest))
            drawing.marks.append(
                .rectangle(
                    from: [x + 6, base - 9], to: [x + 6 + length, base + 1], colour: colour, opacity: 0.8))
        }
    }

    private func addTotals(at base: Double, to drawing: inout Drawing) {
        drawing.addText("in all", at: [Self.columns.output, base], size: Self.textSize)
        for (number, x) in [
            (network.parameterCount, Self.columns.parameters),
            (network.multiplyAccumulates, Self.columns.operations),
        ] {
            drawing.addText(ReadableNumber.grouped(number), at: [x, base], size: Self.textSize, anchor: .end)
        }
    }
}
