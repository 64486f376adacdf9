extension LineChart {
    private static let textSize = 12.0
    private static let lineWidth = 1.6

    /// Lays out the chart: grid, lines, frame, labels and, on top, the legend.
    func drawing() -> Drawing {
        let xAxis = horizontalAxis(ticks: width / 60)
        let yAxis = Axis.around(values(in: xAxis.range), ticks: max(2, height / 50))
        let labelWidth = yAxis.ticks.map { Bitmap.width(of: $0.label, size: Self.textSize) }.max() ?? 0
        let plot = Plot(
            xAxis: xAxis, yAxis: yAxis,
            // Half points: lines one pixel thick then fill whole pixels.
            upperLeft: Drawing.Point((labelWidth + 16).rounded() + 0.5, title.isEmpty ? 12.5 : 34.5),
            lowerRight: Drawing.Point(Double(width) - 16.5, Double(height) - (xLabel.isEmpty ? 28.5 : 44.5)))

        var drawing = Drawing(width: width, height: height, title: title.isEmpty ? "line chart" : title)
        addGrid(to: &drawing, plot)
        let lines = series.map { $0.runs(in: xAxis.range).map { $0.map(plot.place) } }
        for (series, runs) in zip(series, lines) {
            for run in runs {
                // A lone point would be a dot hardly wider than a line.
                let width = run.count == 1 ? Self.lineWidth * 2.5 : Self.lineWidth
                drawing.marks.append(.line(run, Stroke(series.colour, width: width, dash: series.dash)))
            }
        }
        drawing.addFrame(from: plot.upperLeft, to: plot.lowerRight, stroke: Stroke(.black))
        addLegend(to: &drawing, plot, avoiding: lines.flatMap { $0 })
        return drawing
    }

    private func addGrid(to drawing: inout Drawing, _ plot: Plot) {
        let grid = Stroke(Colour(0xDDDDDD))
        let tickLength = 4.0
        let middle = (plot.upperLeft.x + plot.lowerRight.x) / 2
        drawing.addHeading(title, middle: middle)
        for (value, label) in plot.xAxis.ticks {
            let x = plot.column(value)
            drawing.addLine([x, plot.upperLeft.y], [x, plot.lowerRight.y], stroke: grid)
            drawing.addLine(
                [x, plot.lowerRight.y], [x, plot.lowerRight.y + tickLength], stroke: Stroke(.black))
            drawing.addText(label, at: [x, plot.lowerRight.y + 17], size: Self.textSize, anchor: .middle)
        }
        for (value, label) in plot.yAxis.ticks {
            let y = plot.row(value)
            drawing.addLine([plot.upperLeft.x, y], [plot.lowerRight.x, y], stroke: grid)
            drawing.addLine(
                [plot.upperLeft.x - tickLength, y], [plot.upperLeft.x, y], stroke: Stroke(.black))
            drawing.addText(
                label, at: [plot.upperLeft.x - 7, y + Self.textSize * StrokeFont.capitalHeight / 2],
                size: Self.textSize, anchor: .end)
        }
        drawing.addText(xLabel, at: [middle, plot.lowerRight.y + 35], size: Self.textSize, anchor: .middle)
    }

    private func addLegend(to drawing: inout Drawing, _ plot: Plot, avoiding lines: [[Drawing.Point]]) {
        let names = series.map(\.name)
        guard let textWidth = names.map({ Bitmap.width(of: $0, size: Self.textSize) }).max() else { return }
        let (padding, rowHeight, sample) = (8.0, 17.0, 30.0)
        let size = Drawing.Point(
            (textWidth + sample + 3 * padding).rounded(), rowHeight * Double(names.count) + padding)
        let upperLeft = plot.emptiestCorner(for: size, avoiding: lines)
        drawing.marks.append(
            .rectangle(from: upperLeft, to: upperLeft + size, colour: .white, opacity: 0.85))
        drawing.addFrame(from: upperLeft, to: upperLeft + size, stroke: Stroke(Colour(0xCCCCCC)))
        for (index, series) in series.enumerated() {
            let middle = upperLeft + [padding, padding / 2 + (Double(index) + 0.5) * rowHeight]
            drawing.addLine(
                middle, middle + [sample, 0],
                stroke: Stroke(series.colour, width: Self.lineWidth, dash: series.dash))
            drawing.addText(
                series.name, at: middle + [sample + padding, Self.textSize * StrokeFont.capitalHeight / 2],
                size: Self.textSize)
        }
    }
}

/// The place of the axes in a drawing.
private struct Plot {
    var xAxis: Axis
    var yAxis: Axis
    var upperLeft: Drawing.Point
    var lowerRight: Drawing.Point

    func place(_ point: LineChart.Point) -> Drawing.Point {
        upperLeft
            + (lowerRight - upperLeft) * Drawing.Point(xAxis.position(point.x), 1 - yAxis.position(point.y))
    }

    /// The middle of the column of pixels for `x`.
    func column(_ x: Double) -> Double { place(LineChart.Point(x, 0)).x.rounded(.down) + 0.5 }

    /// The middle of the row of pixels for `y`.
    func row(_ y: Double) -> Double { place(LineChart.Point(0, y)).y.rounded(.down) + 0.5 }

    /// The upper left corner of a box of this size where it hides the least of `lines`.
    func emptiestCorner(for size: Drawing.Point, avoiding lines: [[Drawing.Point]]) -> Drawing.Point {
        let margin = Drawing.Point(8, 8)
        let first = upperLeft + margin
        let last = lowerRight - margin - size
        let middle = ((first.y + last.y) / 2).rounded(.down) + 0.5
        let corners: [Drawing.Point] = [
            [last.x, first.y], [last.x, middle], [last.x, last.y],
            [first.x, first.y], [first.x, last.y], [first.x, middle],
        ]
        let hidden = corners.map { corner in
            lines.reduce(0) { $0 + samples(of: $1).count { isInside($0, corner, size) } }
        }
        let least = zip(corners, hidden).min { $0.1 < $1.1 }
        return least?.0 ?? first
    }

    private func isInside(_ point: Drawing.Point, _ corner: Drawing.Point, _ size: Drawing.Point) -> Bool {
        let offset = point - corner
        return offset.x >= 0 && offset.y >= 0 && offset.x <= size.x && offset.y <= size.y
    }

    /// Points along a line, close enough together that a box cannot lie between two of them.
    private func samples(of line: [Drawing.Point]) -> [Drawing.Point] {
        line
            + zip(line, line.dropFirst()).flatMap { start, end in
                let steps = max(1, Int(((end - start) * (end - start)).sum().squareRoot() / 4))
                return (1...steps).map { start + (end - start) * (Double($0) / Double(steps)) }
            }
    }
}
