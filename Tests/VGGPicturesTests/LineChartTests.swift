import Foundation
import Testing
import VGGPictures

@Suite struct LineChartTests {
    /// Powers of ten are as far from each other as whole numbers are otherwise.
    @Test func placesByFactors() throws {
        let exponents = [-4.0, -3.5, -2, 0]
        func chart(_ places: [Double]) -> LineChart {
            LineChart(
                xLabel: "rate", xRange: places[0]...places[3],
                series: [.init("a", colour: .blue, points: zip(places, exponents).map { .init($0, $1 * $1) })]
            )
        }
        var logarithmic = chart(exponents.map { pow(10, $0) })
        logarithmic.hasLogarithmicX = true
        let (svg, plain) = (try SVG(logarithmic.svg()), try SVG(chart(exponents).svg()))
        let (line, expected) = (
            try #require(svg.lines(of: .blue).first), try #require(plain.lines(of: .blue).first)
        )
        #expect(line.points.count == 4)
        // Logarithms round.
        for (point, other) in zip(line.points, expected.points) {
            #expect(abs(point.x - other.x) < 0.02 && abs(point.y - other.y) < 0.02)
        }
        for label in ["0.0001", "0.001", "0.01", "0.1", "1"] { #expect(svg.texts.contains(label)) }
    }

    static let loss = LineChart.Series(
        "train loss", colour: .blue, points: (1...10).map { LineChart.Point(Double($0), 2.3 / Double($0)) })
    static let trainAccuracy = LineChart.Series(
        "train acc", colour: .magenta, dash: .dashed,
        points: (1...10).map { LineChart.Point(Double($0), 1 - 0.5 / Double($0)) })
    static let testAccuracy = LineChart.Series(
        "test acc", colour: .green, dash: .dashDot,
        points: (1...10).map { LineChart.Point(Double($0), 0.9 - 0.4 / Double($0)) })
    let chart = LineChart(
        title: "VGG-11", xLabel: "epoch", xRange: 1...10, series: [loss, trainAccuracy, testAccuracy])

    @Test func svgHoldsTitleLabelsAndLegend() throws {
        let svg = try SVG(chart.svg())
        for text in ["VGG-11", "epoch", "train loss", "train acc", "test acc"] {
            #expect(svg.texts.contains(text), "\(text)")
        }
        for tick in ["2", "4", "6", "8", "10", "0.5", "1.0", "1.5", "2.0"] {
            #expect(svg.texts.contains(tick), "\(tick)")
        }
        #expect(!svg.texts.contains("0.0"))
    }

    @Test func svgHoldsEverySeriesWithItsColourAndDash() throws {
        let svg = try SVG(chart.svg())
        for series in chart.series {
            // The line itself and its sample in the legend.
            let lines = svg.lines(of: series.colour)
            #expect(lines.map(\.points.count) == [10, 2])
            #expect(Set(lines.map(\.dashes)).count == 1)
        }
        #expect(Set(chart.series.map { svg.lines(of: $0.colour).first?.dashes }).count == 3)
    }

    @Test func linesFollowTheirPoints() throws {
        let line = try #require(try SVG(chart.svg()).lines(of: .blue).first).points
        try #require(line.count == 10)
        for (left, right) in zip(line, line.dropFirst()) {
            #expect(left.x < right.x)
            #expect(left.y < right.y, "a falling loss goes down the picture")
        }
        // Equal steps in x are equal steps in the picture, and y is to scale.
        #expect(abs((line[9].x - line[0].x) - 9 * (line[1].x - line[0].x)) < 0.1)
        #expect(abs((line[1].y - line[0].y) / (line[9].y - line[0].y) - 0.5 / 0.9) < 0.001)
    }

    @Test(arguments: [1, 2, 3])
    func pngShowsWhatTheSVGShows(scale: Int) throws {
        let png = try PNG(chart.png(scale: Double(scale)))
        #expect(png.width == 480 * scale)
        #expect(png.height == 320 * scale)
        let line = try #require(try SVG(chart.svg()).lines(of: .blue).first).points
        for point in line.dropFirst().dropLast() {
            let colour = png.colour(x: Int(point.x * Double(scale)), y: Int(point.y * Double(scale)))
            #expect(colour.blue > colour.red &+ 50, "\(colour) at \(point)")
        }
    }

    @Test func namesCannotBreakTheSVG() throws {
        var chart = chart
        chart.title = "<a> & \"b\" ]]> \u{1}\u{FFFE} é 😀"
        chart.series[0].name = "</text>"
        let svg = try SVG(chart.svg())
        #expect(svg.texts.contains("</text>"))
        #expect(svg.texts.contains { $0.hasPrefix("<a> & \"b\" ]]>") && $0.hasSuffix("é 😀") })
    }

    @Test func valuesThatAreNotFiniteLeaveGaps() throws {
        var chart = chart
        chart.series[0].points[3].y = .nan
        chart.series[0].points[6].y = .infinity
        chart.series[0].points[8].y = .greatestFiniteMagnitude
        let svg = try SVG(chart.svg())
        // Points 0…2, 4…5, 7 (a dot) and 9 (a dot), and the legend's sample.
        #expect(svg.lines(of: .blue).map { Set($0.points).count } == [3, 2, 1, 1, 2])
        #expect(!chart.svg().contains("nan"))
        #expect(!chart.svg().contains("inf"))
    }

    @Test func pointsBesideTheRangeAreLeftOut() throws {
        var chart = chart
        chart.xRange = 3...6
        #expect(try SVG(chart.svg()).lines(of: .blue).map(\.points.count) == [4, 2])
    }

    @Test func dotsOfALonePointAreSeen() throws {
        let series = LineChart.Series("loss", colour: .red, points: [LineChart.Point(2, 1)])
        let chart = LineChart(xLabel: "epoch", xRange: 1...3, series: [series])
        let dot = try #require(try SVG(chart.svg()).lines(of: .red).first?.points.first)
        let png = try PNG(chart.png(scale: 1))
        #expect(png.colour(x: Int(dot.x), y: Int(dot.y)) == .red)
    }

    static let odd: [[LineChart.Point]] = [
        [], [LineChart.Point(1, 0)], [LineChart.Point(.nan, .nan)],
        [LineChart.Point(1, .nan), LineChart.Point(2, 1)],
        [LineChart.Point(1, 0), LineChart.Point(2, .leastNonzeroMagnitude)],
        [LineChart.Point(1, 1e99), LineChart.Point(2, -1e99)],
        [LineChart.Point(1, 1), LineChart.Point(1, 1)],
        [LineChart.Point(1, 1), LineChart.Point(2, 1.0.nextUp)],
        [LineChart.Point(1, -1e6), LineChart.Point(2, 1e7)],
    ]

    @Test(arguments: odd, [1.0...1.0, 1...2, 0...Double.leastNonzeroMagnitude, -3...1e9, 0.25...0.75])
    func oddSeriesMakeSoundPictures(points: [LineChart.Point], range: ClosedRange<Double>) throws {
        let series = LineChart.Series("loss", colour: .red, points: points)
        let chart = LineChart(xLabel: "", xRange: range, series: [series, series])
        let svg = try SVG(chart.svg())
        #expect(svg.lines(of: .red).count >= 2)
        #expect(try PNG(chart.png(scale: 0.5)).width == 240)
        #expect(chart.terminalText(width: 40, height: 12).split(separator: "\n").count == 12)
        _ = LineChart(xLabel: "", xRange: range, series: []).svg()
    }

    @Test func wholeRangesHaveWholeTicks() throws {
        for epochs in 1...30 where epochs != 2 {
            let chart = LineChart(xLabel: "epoch", xRange: 1...Double(epochs), series: [])
            // The y axis of an empty chart is 0…1.
            let ticks = try SVG(chart.svg()).texts.compactMap(Double.init)
            #expect(ticks.contains { $0 >= 1 }, "\(epochs)")
            #expect(ticks.allSatisfy { $0 == $0.rounded() || $0 < 1 }, "\(epochs): \(ticks)")
        }
    }

    @Test func terminalTextHasTheSizeAskedFor() {
        for width in [1, 7, 20, 33, 80, 200] {
            for height in [1, 2, 5, 12, 40] {
                let lines = chart.terminalText(width: width, height: height)
                    .split(separator: "\n", omittingEmptySubsequences: false)
                #expect(lines.count == height + 1)
                #expect(lines.last == "")
                #expect(lines.dropLast().allSatisfy { $0.count == width })
            }
        }
    }

    @Test func terminalTextHasAxesLegendAndLines() {
        let text = chart.terminalText(width: 80, height: 20)
        for part in ["VGG-11", "train loss", "train acc", "test acc", "epoch", " 10", "1.0 ┤", "└", "┬"] {
            #expect(text.contains(part), "\(part)")
        }
        let braille = text.unicodeScalars.filter { (0x2801...0x28FF).contains($0.value) }
        #expect(braille.count > 75, "three lines across the width")
    }

    @Test func coloursChangeNothingButColours() throws {
        let coloured = chart.terminalText(width: 70, height: 18, isColoured: true)
        for index in [31, 127, 28] { #expect(coloured.contains("\u{1B}[38;5;\(index)m"), "\(index)") }
        #expect(
            coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == chart.terminalText(width: 70, height: 18))
        for line in coloured.split(separator: "\n") where line.contains("\u{1B}") {
            #expect(line.matches(of: /\u{1B}\[[0-9;]*m/).last?.output == "\u{1B}[39m")
        }
    }
}
