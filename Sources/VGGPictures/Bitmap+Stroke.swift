extension Bitmap {
    /// Draws the line through `points`, with round ends and corners; one point makes a dot.
    package mutating func stroke(_ points: [Point], _ stroke: Stroke) {
        let pieces = stroke.dash == .solid ? [points] : Self.dashes(points, stroke)
        self.stroke(pieces, colour: stroke.colour, width: stroke.width)
    }

    /// Draws several lines as one shape: where they cross, nothing is mixed in twice.
    mutating func stroke(_ lines: [[Point]], colour: Colour, width: Double) {
        let lines = lines.filter { !$0.isEmpty }
        guard let first = lines.first?.first else { return }
        var lower = first
        var upper = first
        for point in lines.joined() {
            lower = pointwiseMin(lower, point)
            upper = pointwiseMax(upper, point)
        }
        // A pixel whose centre is further than this from the line stays as it was.
        let reach = width / 2 + 0.5
        let columns = columns(lower.x - reach, upper.x + reach)
        let rows = rows(lower.y - reach, upper.y + reach)
        guard !columns.isEmpty, !rows.isEmpty else { return }

        var coverage = [Double](repeating: 0, count: columns.count * rows.count)
        func cover(_ start: Point, _ end: Point) {
            let direction = end - start
            let squaredLength = (direction * direction).sum()
            for y in self.rows(min(start.y, end.y) - reach, max(start.y, end.y) + reach) {
                for x in self.columns(min(start.x, end.x) - reach, max(start.x, end.x) + reach) {
                    let offset = Point(Double(x) + 0.5, Double(y) + 0.5) - start
                    let along = squaredLength > 0 ? (offset * direction).sum() / squaredLength : 0
                    let across = offset - direction * min(max(along, 0), 1)
                    let distance = (across * across).sum().squareRoot()
                    // A line thinner than a pixel covers no more of it than its width.
                    let covered = min(max(reach - distance, 0), min(width, 1))
                    let index = (y - rows.lowerBound) * columns.count + x - columns.lowerBound
                    coverage[index] = max(coverage[index], covered)
                }
            }
        }
        for line in lines {
            if line.count == 1 { cover(line[0], line[0]) }
            for (start, end) in zip(line, line.dropFirst()) { cover(start, end) }
        }
        for y in rows {
            for x in columns {
                let covered = coverage[(y - rows.lowerBound) * columns.count + x - columns.lowerBound]
                if covered > 0 { blend(colour, opacity: covered, x: x, y: y) }
            }
        }
    }

    /// The drawn parts of a dashed line, each a line of its own.
    private static func dashes(_ points: [Point], _ stroke: Stroke) -> [[Point]] {
        let lengths = stroke.dash.pattern.map { $0 * stroke.width }
        guard points.count > 1, lengths.reduce(0, +) > 0 else { return [points] }
        var pieces = [[points[0]]]
        var phase = 0
        var left = lengths[0]
        for (start, end) in zip(points, points.dropFirst()) {
            let direction = end - start
            let length = (direction * direction).sum().squareRoot()
            var travelled = 0.0
            while travelled + left < length {
                travelled += left
                let point = start + direction * (travelled / length)
                if phase % 2 == 0 { pieces[pieces.count - 1].append(point) } else { pieces.append([point]) }
                phase = (phase + 1) % lengths.count
                left = lengths[phase]
            }
            left -= length - travelled
            if phase % 2 == 0 { pieces[pieces.count - 1].append(end) }
        }
        return pieces
    }
}
