/// Colours changed by as much as is drawn, in a drawn order: torchvision's `ColorJitter`.
///
/// Grey pictures have no saturation and no hue, and keep what these would change.
public struct ColorJitter: Hashable, Sendable {
    /// The factor is uniform in 1 ± this, but not negative; 0 for none. So for contrast and saturation.
    public var brightness: Double
    /// As `brightness`.
    public var contrast: Double
    /// As `brightness`.
    public var saturation: Double
    /// The shift is uniform in 0 ± this, at most 0.5; 0 for none.
    public var hue: Double

    /// - Precondition: nothing is negative, and the hue at most 0.5.
    public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0) {
        precondition(
            min(brightness, contrast, saturation, hue) >= 0 && hue <= 0.5,
            "colours change by 0 or more, and hues by 0.5 at most")
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
    }

    /// timm's `--color-jitter`: the same for brightness, contrast and saturation.
    public init(_ amount: Double) { self.init(brightness: amount, contrast: amount, saturation: amount) }

    /// The changes that are drawn for an example, in their order.
    public func operations(_ draw: ExampleDraw) -> [ImageOperation] {
        var words = draw.words(for: .colorJitter)
        func factor(_ amount: Double) -> Double { words.uniform(in: max(1 - amount, 0)...1 + amount) }
        var operations: [(amount: Double, ImageOperation)] = [
            (brightness, .brightness(factor(brightness))), (contrast, .contrast(factor(contrast))),
            (saturation, .color(factor(saturation))), (hue, .hue(words.uniform(in: -hue...hue))),
        ]
        for last in operations.indices.dropFirst().reversed() {
            operations.swapAt(last, words.integer(below: last + 1))
        }
        return operations.filter { $0.amount > 0 }.map(\.1)
    }
}
