import Foundation

extension BarChart {
    private static let textSize = 12.0
    private static let barHeight = 16.0
    private static let groupGap = 12.0

    /// A value that a bar can stand for: not negative, and small enough to leave room for its digits.
    private func drawable(_ value: Double?) -> Double? {
        value.flatMap { (0..<1e15).contains($0) ? $0 : nil }
    }

    private func label(_ value: Double) -> String { String(format: "%.\(decimals)f", value) }

    /// Lays out the chart: title, legend, then the groups from the top, and the axis below them.
    func drawing() -> Drawing {
        let values = groups.flatMap { $0.values.compactMap(drawable) }
        let greatest = values.max().flatMap { $0 > 0 ? $0 : nil } ?? 1
        let axis = Axis(0...greatest, ticks: max(2, width / 100))
        let nameWidth = groups.map { Bitmap.width(of: $0.name, size: Self.textSize) }.max() ?? 0
        let valueWidth = values.map { Bitmap.width(of: label($0), size: Self.textSize) }.max() ?? 0
        let groupHeight = Double(max(series.count, 1)) * Self.barHeight + Self.groupGap
        let left = (nameWidth + 20).rounded() + 0.5
        let right = max(left + 20, Double(width) - valueWidth - 20)
        let top = (title.isEmpty ? 10.5 : 34.5) + (series.count > 1 ? 22 : 0)
        let bottom = top + groupHeight * Double(groups.count) + Self.groupGap

        var drawing = Drawing(
            width: width, height: Int(bottom + 44), title: title.isEmpty ? valueLabel : title)
        drawing.addHeading(title, middle: Double(width) / 2)
        if series.count > 1 { addLegend(to: &drawing, left: left, baseLine: top - 8) }
        for (value, label) in axis.ticks {
            let x = (left + (right - left) * axis.position(value)).rounded(.down) + 0.5
            drawing.addLine([x, top], [x, bottom + 4], stroke: Stroke(Colour(0xDDDDDD)))
            drawing.addText(label, at: [x, bottom + 17], size: Self.textSize, anchor: .middle)
        }
        drawing.addText(
            valueLabel, at: [(left + right) / 2, bottom + 35], size: Self.textSize, anchor: .middle)

        let drop = Self.textSize * StrokeFont.capitalHeight / 2
        for (index, group) in groups.enumerated() {
            let groupTop = top + Self.groupGap + Double(index) * groupHeight
            let middle = groupTop + (groupHeight - Self.groupGap) / 2
            drawing.addText(group.name, at: [left - 8, middle + drop], size: Self.textSize, anchor: .end)
            for (row, (value, series)) in zip(group.values, series).enumerated() {
                guard let value = drawable(value) else { continue }
                let barTop = groupTop + Double(row) * Self.barHeight
                let end = left + (right - left) * axis.position(value)
                drawing.marks.append(
                    .rectangle(
                        from: [left, barTop + 1], to: [end, barTop + Self.barHeight - 1],
                        colour: series.colour,
                        opacity: 1))
                drawing.addText(
                    label(value), at: [end + 6, barTop + Self.barHeight / 2 + drop], size: Self.textSize)
            }
        }
        drawing.addLine([left, top], [left, bottom], stroke: Stroke(.black))
        return drawing
    }

    private func addLegend(to drawing: inout Drawing, left: Double, baseLine: Double) {
        var x = left
        for series in series {
            drawing.marks.append(
                .rectangle(
                    from: [x, baseLine - 9], to: [x + 10, baseLine + 1], colour: series.colour, opacity: 1))
            drawing.addText(series.name, at: [x + 15, baseLine], size: Self.textSize)
            x += 15 + Bitmap.width(of: series.name, size: Self.textSize) + 20
        }
    }
}
