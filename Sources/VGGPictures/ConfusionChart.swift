import Foundation

/// A picture of what a classifier takes each class for: a row for each class, a column for each guess. The more of a
/// row lies in a cell, the stronger is its colour: blue for what is right, red for mistakes. Where there is room, the
/// cells have their numbers, and rows and columns their names.
public struct ConfusionChart: Hashable, Sendable {
    typealias Point = Bitmap.Point

    /// Of the classes.
    public var names: [String]
    /// [actual][guess].
    public var counts: [[Int]]
    /// Above the chart; empty for none.
    public var title: String

    /// - Precondition: there are as many names as rows and as columns, at least one.
    public init(title: String = "", names: [String], counts: [[Int]]) {
        precondition(
            !names.isEmpty && counts.count == names.count && counts.allSatisfy { $0.count == names.count },
            "\(names.count) names do not fit \(counts.count) rows")
        self.title = title
        self.names = names
        self.counts = counts
    }

    /// The side of a cell in pixels: the chart stays on a screen as long as its names can be read.
    private var cell: Double { max(3, min(52, (1300 / Double(names.count)).rounded(.down))) }
    private var nameSize: Double { min(15, cell * 0.82) }
    /// Names that are smaller cannot be read, and every so many rows have their number instead.
    private var hasNames: Bool { nameSize >= 8 }

    /// The picture.
    public func bitmap() -> Bitmap {
        let texts =
            hasNames
            ? names.map { Bitmap.shortened($0, size: nameSize, to: 200) } : names.indices.map { "\($0)" }
        let size = hasNames ? nameSize : 13
        let step = hasNames ? 1 : names.count > 500 ? 100 : 20
        let room = (texts.map { Bitmap.width(of: $0, size: size) }.max() ?? 0) + 10
        let origin = Point(room + 34, room + 64)
        let length = cell * Double(names.count)
        let answer = "the network's answer"
        // With few classes the matrix is narrower than what stands above it.
        let width = max(
            origin.x + length, 14 + Bitmap.width(of: title, size: 16),
            origin.x + Bitmap.width(of: answer, size: 14))
        var bitmap = Bitmap(width: Int(width) + 24, height: Int(origin.y + length) + 24)
        bitmap.draw(title, at: [14, 24], size: 16)
        bitmap.draw(answer, at: [origin.x, 50], size: 14, colour: Colour(0x555555))
        bitmap.draw(
            "what it is", at: [24, origin.y + length], size: 14, colour: Colour(0x555555), isUpward: true)
        for (row, counts) in counts.enumerated() { draw(counts, row, from: origin, on: &bitmap) }
        for place in stride(from: 0, to: names.count, by: step) {
            // The middle of the letters on the middle of the cell.
            let middle = (Double(place) + 0.5) * cell + size * 0.36
            bitmap.draw(texts[place], at: [origin.x - 6, origin.y + middle], size: size, anchor: .end)
            bitmap.draw(texts[place], at: [origin.x + middle, origin.y - 6], size: size, isUpward: true)
        }
        let frame = [Point(0, 0), Point(length, 0), Point(length, length), Point(0, length), Point(0, 0)]
        bitmap.stroke(frame.map { origin + $0 }, Stroke(Colour(0x888888)))
        return bitmap
    }

    /// The picture as a PNG file.
    public func png() -> Data { bitmap().pngData() }

    private func draw(_ counts: [Int], _ row: Int, from origin: Point, on bitmap: inout Bitmap) {
        let total = Double(max(counts.reduce(0, +), 1))
        for (column, count) in counts.enumerated() where count > 0 {
            // A root, so that one mistake in a hundred can be seen.
            let strength = (Double(count) / total).squareRoot()
            let corner = origin + Point(Double(column), Double(row)) * cell
            bitmap.fill(
                from: corner, to: corner + Point(cell, cell), colour: row == column ? .blue : .red,
                opacity: 0.06 + 0.94 * strength)
            let text = "\(count)"
            let size = min(15, cell * 0.36, 15 * (cell - 6) / Bitmap.width(of: text, size: 15))
            guard size >= 8 else { continue }
            bitmap.draw(
                text, at: corner + Point(cell / 2, cell / 2 + size * 0.36), size: size, anchor: .middle,
                colour: strength > 0.6 ? .white : .black)
        }
    }
}
