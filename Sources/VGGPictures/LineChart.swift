import Foundation

/// Lines over a common x axis, such as loss and accuracies over epochs, in the manner of d2l's `Animator`.
public struct LineChart: Hashable, Sendable {
    /// A place in the units of the axes.
    public struct Point: Hashable, Sendable {
        /// In units of the axis.
        public var x: Double
        /// In units of the axis.
        public var y: Double

        /// A point by its place on both axes.
        public init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }

        /// Numbers near the limit of `Double` have no distance that fits one, and nobody could read them.
        var isDrawable: Bool { abs(x) < 1e100 && abs(y) < 1e100 }
    }

    /// A line and its entry in the legend.
    public struct Series: Hashable, Sendable {
        /// What the legend calls it.
        public var name: String
        /// Of the line.
        public var colour: Colour
        /// Tells lines apart where colours do not.
        public var dash: Dash
        /// In the order in which they are joined. A point that is not finite leaves a gap.
        public var points: [Point]

        /// A line through these points.
        public init(_ name: String, colour: Colour, dash: Dash = .solid, points: [Point] = []) {
            self.name = name
            self.colour = colour
            self.dash = dash
            self.points = points
        }

        /// The points that can be shown, in runs without a gap.
        func runs(in range: ClosedRange<Double>) -> [[Point]] {
            points.split { !$0.isDrawable || !range.contains($0.x) }.map(Array.init)
        }
    }

    /// Above the chart; empty for none.
    public var title: String
    /// Below the axis.
    public var xLabel: String
    /// What the x axis shows; points beside it are left out.
    public var xRange: ClosedRange<Double>
    /// Whether equal distances along the x axis are equal factors; the range is then one of different numbers above 0.
    public var hasLogarithmicX = false
    /// From behind to the front.
    public var series: [Series]
    /// The size of the picture in points, positive.
    public var width = 480
    /// Of the whole picture, in pixels.
    public var height = 320

    /// - Precondition: the bounds of `xRange` are finite.
    public init(title: String = "", xLabel: String, xRange: ClosedRange<Double>, series: [Series]) {
        precondition(
            abs(xRange.lowerBound) < 1e100 && abs(xRange.upperBound) < 1e100,
            "the x range \(xRange) is not finite")
        self.title = title
        self.xLabel = xLabel
        self.xRange = xRange
        self.series = series
    }

    /// The chart as an SVG document.
    public func svg() -> String { drawing().svg() }

    /// The chart as a PNG file that shows what the SVG document shows.
    /// - Parameter scale: pixels a point, positive.
    public func png(scale: Double = 2) -> Data { drawing().bitmap(scale: scale).pngData() }

    /// The x axis with about so many ticks; between whole numbers, such as epochs, at whole numbers only.
    func horizontalAxis(ticks count: Int) -> Axis {
        if hasLogarithmicX { return Axis(logarithmic: xRange, ticks: max(2, count)) }
        let length = xRange.upperBound - xRange.lowerBound
        let isWhole =
            xRange.lowerBound == xRange.lowerBound.rounded() && length == length.rounded() && length != 1
        return Axis(xRange, ticks: max(2, count), isWhole: isWhole)
    }

    /// The shown values of all series.
    func values(in range: ClosedRange<Double>) -> [Double] {
        series.flatMap { $0.runs(in: range).joined().map(\.y) }
    }
}
