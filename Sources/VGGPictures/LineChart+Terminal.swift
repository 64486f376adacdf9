extension LineChart {
    /// The chart as text: the lines as braille dots, between axes with labels, and a legend below.
    ///
    /// In a size too small for all that, parts are left out.
    /// - Parameters:
    ///   - width: characters a line.
    ///   - height: lines, each ended by a line feed.
    ///   - isColoured: whether ANSI sequences give the lines their series' colours.
    public func terminalText(width: Int, height: Int, isColoured: Bool = false) -> String {
        var canvas = TerminalCanvas(width: max(width, 1), height: max(height, 1))
        let legend = legendRows(width: canvas.width)
        let top = title.isEmpty ? 0 : 1
        // Below the plot: the axis, its labels, the legend.
        let bottom = canvas.height - legend.count - 2
        for (row, items) in legend.enumerated() {
            for item in items {
                addLegend(item.series, to: &canvas, column: item.column, row: bottom + 2 + row)
            }
        }
        let title = title.count <= canvas.width ? title : "\(title.prefix(canvas.width - 1))…"
        canvas.write(title, column: (canvas.width - title.count) / 2, row: 0)

        let xAxis = horizontalAxis(ticks: canvas.width / 10)
        let yAxis = Axis.around(values(in: xAxis.range), ticks: max(2, (bottom - top) / 2))
        let left = (yAxis.ticks.map(\.label.count).max() ?? 0) + 1
        guard bottom - top >= 2, canvas.width - left >= 4 else { return canvas.text(isColoured: isColoured) }
        addAxes(to: &canvas, xAxis, yAxis, columns: left..<canvas.width, rows: top..<bottom)

        // The dots right of the vertical axis.
        let dotColumns = (left + 1) * 2..<canvas.width * 2
        let dotRows = top * 4..<bottom * 4
        for series in series {
            for run in series.runs(in: xAxis.range) {
                let points = run.map { point in
                    (
                        x: dotColumns.lowerBound + scaled(xAxis.position(point.x), to: dotColumns.count),
                        y: dotRows.lowerBound + scaled(1 - yAxis.position(point.y), to: dotRows.count)
                    )
                }
                canvas.draw(points, colour: series.colour, dash: series.dash)
            }
        }
        return canvas.text(isColoured: isColoured)
    }

    /// An index in 0..<count for a position in 0...1.
    private func scaled(_ position: Double, to count: Int) -> Int {
        Int((position * Double(count - 1)).rounded())
    }

    private func addAxes(
        to canvas: inout TerminalCanvas, _ xAxis: Axis, _ yAxis: Axis, columns: Range<Int>, rows: Range<Int>
    ) {
        for row in rows { canvas.write("│", column: columns.lowerBound, row: row) }
        canvas.write("└", column: columns.lowerBound, row: rows.upperBound)
        canvas.write(
            String(repeating: "─", count: columns.count - 1), column: columns.lowerBound + 1,
            row: rows.upperBound)
        for (value, label) in yAxis.ticks {
            let row = rows.lowerBound + scaled(1 - yAxis.position(value), to: rows.count * 4) / 4
            canvas.write(label, column: columns.lowerBound - 1 - label.count, row: row)
            canvas.write("┤", column: columns.lowerBound, row: row)
        }
        var nextFree = 0
        canvas.write(xLabel, column: 0, row: rows.upperBound + 1)
        if !xLabel.isEmpty { nextFree = xLabel.count + 1 }
        for (value, label) in xAxis.ticks {
            let column =
                columns.lowerBound + 1 + scaled(xAxis.position(value), to: (columns.count - 1) * 2) / 2
            canvas.write("┬", column: column, row: rows.upperBound)
            let start = min(column - label.count / 2, canvas.width - label.count)
            guard start >= nextFree else { continue }
            canvas.write(label, column: start, row: rows.upperBound + 1)
            nextFree = start + label.count + 1
        }
    }

    private static let sampleWidth = 5

    /// Where the legend's items stand: as many in a row as fit.
    private func legendRows(width: Int) -> [[(series: Series, column: Int)]] {
        var rows: [[(series: Series, column: Int)]] = []
        var column = 0
        for series in series {
            let length = Self.sampleWidth + 1 + series.name.count
            if rows.isEmpty || column + length > width {
                rows.append([])
                column = 0
            }
            rows[rows.count - 1].append((series, column))
            column += length + 3
        }
        return rows
    }

    private func addLegend(_ series: Series, to canvas: inout TerminalCanvas, column: Int, row: Int) {
        let first = column * 2
        canvas.draw(
            [(first, row * 4 + 1), (first + Self.sampleWidth * 2 - 1, row * 4 + 1)], colour: series.colour,
            dash: series.dash)
        canvas.write(series.name, column: column + Self.sampleWidth + 1, row: row)
    }
}
