import Testing
import VGGPictures

@Suite struct BarChartTests {
    let chart = BarChart(
        title: "Training", valueLabel: "images per second",
        series: [BarChart.Series("fp32", colour: .blue), BarChart.Series("bf16", colour: .orange)],
        groups: [
            BarChart.Group("PyTorch", values: [25, 60]), BarChart.Group("swift-vgg", values: [100, nil]),
            BarChart.Group("odd", values: [.nan, -1]), BarChart.Group("short", values: []),
        ])

    @Test func barsAreAsLongAsTheirValues() throws {
        let svg = try SVG(chart.svg())
        func lengths(_ hex: String) -> [Double] {
            // The legend's square is 10 wide and high.
            svg.rectangles.filter { $0["fill"] == hex && $0["height"] != "10" }
                .compactMap { $0["width"].flatMap { Double($0) } }
        }
        let blue = lengths("#1f77b4")
        let orange = lengths("#ff7f0e")
        try #require(blue.count == 2 && orange.count == 1)
        #expect(abs(blue[0] / blue[1] - 0.25) < 0.001)
        #expect(abs(orange[0] / blue[1] - 0.6) < 0.001)
    }

    @Test func textsNameEverything() throws {
        let texts = try SVG(chart.svg()).texts
        for text in [
            "Training", "images per second", "fp32", "bf16", "PyTorch", "swift-vgg", "25.0", "100.0",
        ] {
            #expect(texts.contains(text), "\(text)")
        }
    }

    @Test func pngHasTheBars() throws {
        let png = try PNG(chart.png(scale: 1))
        #expect(png.width == 560)
        let colours = (0..<png.height).flatMap { y in (0..<png.width).map { png.colour(x: $0, y: y) } }
        #expect(colours.filter { $0 == .blue }.count > 4 * colours.filter { $0 == .orange }.count / 3)
    }

    @Test func anEmptyChartIsAPicture() throws {
        let chart = BarChart(valueLabel: "", series: [], groups: [])
        #expect(try PNG(chart.png()).width == 1120)
    }
}
