/// How a line alternates between drawn and left out.
public enum Dash: Hashable, Sendable {
    /// All of it is drawn.
    case solid
    /// Long parts.
    case dashed
    /// Long parts and points in turn.
    case dashDot
    /// Points.
    case dotted

    /// Lengths drawn and left out in turn, in line widths. Ends are round, which adds one width to what is
    /// drawn and takes it from what is left out.
    var pattern: [Double] {
        switch self {
        case .solid: []
        case .dashed: [3, 2.8]
        case .dashDot: [4.2, 2.6, 0, 2.6]
        case .dotted: [0, 2.4]
        }
    }
}

/// The look of a line: ends and corners are round.
package struct Stroke: Hashable, Sendable {
    /// Of the line.
    package var colour: Colour
    /// In pixels.
    package var width: Double
    /// Where it is drawn and where left out.
    package var dash: Dash

    /// A line of this colour.
    package init(_ colour: Colour, width: Double = 1, dash: Dash = .solid) {
        self.colour = colour
        self.width = width
        self.dash = dash
    }
}
