/// Which pictures are mirrored (timm's `--hflip` and `--vflip`).
public struct RandomFlip: Hashable, Sendable {
    /// How probably a picture is mirrored along its rows.
    public var horizontal: Double
    /// How probably it is mirrored along its columns.
    public var vertical: Double
    /// Whether each example that was mirrored along its rows in one epoch is not in the next, and the other way round
    /// (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3.6): two epochs in a row then show both
    /// forms of every example. `horizontal` is the share that begins mirrored.
    public var alternates: Bool

    /// timm's defaults; both shares are between 0 and 1.
    public init(horizontal: Double = 0.5, vertical: Double = 0, alternates: Bool = false) {
        self.horizontal = horizontal
        self.vertical = vertical
        self.alternates = alternates
    }

    /// Whether the example is mirrored along its rows, and along its columns.
    public func directions(_ draw: ExampleDraw) -> (horizontally: Bool, vertically: Bool) {
        var words = draw.words(for: .horizontalFlip, inEpoch: alternates ? 0 : draw.epoch)
        var verticalWords = draw.words(for: .verticalFlip)
        let isMirrored = words.uniform() < horizontal
        let isOtherWay = alternates && !draw.epoch.isMultiple(of: 2)
        return (isMirrored != isOtherWay, verticalWords.uniform() < vertical)
    }
}
