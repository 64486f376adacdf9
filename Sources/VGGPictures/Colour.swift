/// A colour of 8 bits a channel, sRGB.
public struct Colour: Hashable, Sendable {
    /// 0 to 255.
    public var red: UInt8
    /// 0 to 255.
    public var green: UInt8
    /// 0 to 255.
    public var blue: UInt8

    /// A colour by its channels, 0 to 255 each.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// A colour from 0xRRGGBB.
    public init(_ hex: UInt32) {
        self.init(
            red: UInt8(truncatingIfNeeded: hex >> 16), green: UInt8(truncatingIfNeeded: hex >> 8),
            blue: UInt8(truncatingIfNeeded: hex))
    }

    /// 0xFFFFFF.
    public static let white = Colour(0xFFFFFF)
    /// 0x000000.
    public static let black = Colour(0x000000)
    /// matplotlib's first colour, which d2l's charts use for the training loss.
    public static let blue = Colour(0x1F77B4)
    /// matplotlib's `m`.
    public static let magenta = Colour(0xBF00BF)
    /// matplotlib's `g`.
    public static let green = Colour(0x008000)
    /// matplotlib's fourth colour.
    public static let red = Colour(0xD62728)
    /// matplotlib's second colour.
    public static let orange = Colour(0xFF7F0E)

    /// `#RRGGBB`, as SVG writes it.
    var hex: String {
        "#"
            + [red, green, blue].map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
            .joined()
    }
}
