/// Lines of very many points.
extension LineChart.Series {
    /// The same for a screen: of the points in each column of pixels the first, the lowest, the highest and the last
    /// are kept, so that the line covers the same pixels. A gap stays one.
    /// - Parameters:
    ///   - columns: how many columns of pixels there are, positive.
    ///   - range: what these show of the x axis; points beside it are left out.
    public func thinned(to columns: Int, over range: ClosedRange<Double>) -> LineChart.Series {
        precondition(columns > 0, "\(columns) columns show nothing")
        let length = range.upperBound - range.lowerBound
        let scale = length > 0 ? Double(columns) / length : 0
        var kept: [LineChart.Point] = []
        var column: (number: Int, first: Int, lowest: Int, highest: Int, last: Int)?
        func end() {
            guard let done = column else { return }
            var last = -1
            for place in [done.first, done.lowest, done.highest, done.last].sorted() where place != last {
                kept.append(points[place])
                last = place
            }
            column = nil
        }
        for (place, point) in points.enumerated() {
            guard point.isDrawable else {
                end()
                if kept.last?.isDrawable == true { kept.append(point) }
                continue
            }
            guard range.contains(point.x) else { continue }
            let number = min(columns - 1, Int((point.x - range.lowerBound) * scale))
            if column?.number != number {
                end()
                column = (number, place, place, place, place)
            }
            column?.last = place
            if let lowest = column?.lowest, point.y < points[lowest].y { column?.lowest = place }
            if let highest = column?.highest, point.y > points[highest].y { column?.highest = place }
        }
        end()
        var series = self
        series.points = kept
        return series
    }

    /// The same with each value replaced by a mean of those up to it, which weighs one `weight` times as much as the
    /// one after it. It begins with the first value (Kingma & Ba 2015, section 3, as TensorBoard does it).
    /// - Parameter weight: at least 0, for the same values, and less than 1.
    public func smoothed(_ weight: Double) -> LineChart.Series {
        precondition(0..<1 ~= weight, "a weight of \(weight) gives no mean")
        guard weight > 0 else { return self }
        var series = self
        var (sum, weights) = (0.0, 0.0)
        for (place, point) in points.enumerated() where point.isDrawable {
            sum = sum * weight + point.y * (1 - weight)
            weights = weights * weight + (1 - weight)
            series.points[place].y = sum / weights
        }
        return series
    }
}
