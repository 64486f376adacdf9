import Testing
import VGGPictures

@Suite struct SeriesTests {
    private func series(_ values: [Double]) -> LineChart.Series {
        LineChart.Series(
            "a", colour: .blue,
            points: values.enumerated().map { LineChart.Point(Double($0.offset), $0.element) })
    }

    /// Every column keeps what it covers: its ends, its lowest and its highest point, in their order.
    @Test func thinnedLinesCoverTheSame() {
        let values = (0..<1000).map { Double($0 * 7919 % 1000) }
        let whole = series(values)
        let thin = whole.thinned(to: 10, over: 0...1000)
        #expect(thin.points.count <= 40 && thin.points.map(\.x) == thin.points.map(\.x).sorted())
        for column in 0..<10 {
            let own = thin.points.filter { Int($0.x) / 100 == column }.map(\.y)
            let all = values[column * 100..<(column + 1) * 100]
            #expect(own.min() == all.min() && own.max() == all.max())
            #expect(own.first == all.first && own.last == all.last)
        }
        // Where there is room for all, nothing is left out.
        #expect(series([3, 1, 2]).thinned(to: 100, over: 0...3).points == series([3, 1, 2]).points)
        #expect(whole.thinned(to: 10, over: 100...199).points.allSatisfy { 100...199 ~= $0.x })
        #expect(series([5]).thinned(to: 10, over: 0...0).points.count == 1)
    }

    @Test func gapsStay() {
        let thin = series([1, 2, .nan, .nan, 3, .infinity]).thinned(to: 2, over: 0...6)
        #expect(thin.points.map(\.y.isFinite) == [true, true, false, true, false])
    }

    /// The first value is itself, a constant stays one, and a jump is followed by so much.
    @Test func smoothingIsAMean() {
        #expect(series([4, 1, 2]).smoothed(0) == series([4, 1, 2]))
        #expect(series([4, 4, 4]).smoothed(0.9).points.allSatisfy { abs($0.y - 4) < 1e-12 })
        let smooth = series([0, 1, .nan, 1]).smoothed(0.5).points.map(\.y)
        #expect(smooth[0] == 0 && abs(smooth[1] - 2.0 / 3) < 1e-12 && smooth[2].isNaN)
        #expect(abs(smooth[3] - 6.0 / 7) < 1e-12)
    }
}
