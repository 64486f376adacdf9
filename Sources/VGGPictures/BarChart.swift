import Foundation

/// Groups of horizontal bars with their values, such as the speed of several programs at several tasks.
public struct BarChart: Hashable, Sendable {
    public struct Group: Hashable, Sendable {
        public var name: String
        /// One value a series; nil or a value that is not finite leaves the bar out.
        public var values: [Double?]

        public init(_ name: String, values: [Double?]) {
            self.name = name
            self.values = values
        }
    }

    public struct Series: Hashable, Sendable {
        public var name: String
        public var colour: Colour

        public init(_ name: String, colour: Colour) {
            self.name = name
            self.colour = colour
        }
    }

    public var title: String
    /// What the values are, with their unit.
    public var valueLabel: String
    public var series: [Series]
    public var groups: [Group]
    /// Digits after the point of the values at the bars.
    public var decimals = 1
    /// The width of the picture in points; the height follows from the number of bars.
    public var width = 560

    public init(title: String = "", valueLabel: String, series: [Series], groups: [Group]) {
        self.title = title
        self.valueLabel = valueLabel
        self.series = series
        self.groups = groups
    }

    /// The chart as an SVG document.
    public func svg() -> String { drawing().svg() }

    /// The chart as a PNG file that shows what the SVG document shows.
    /// - Parameter scale: pixels a point, positive.
    public func png(scale: Double = 2) -> Data { drawing().bitmap(scale: scale).pngData() }
}
