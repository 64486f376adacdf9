import ArgumentParser
import VGGKit

extension AugmentationSettings.AutoAugment: ExpressibleByArgument {}
extension RandomErasing.Mode: ExpressibleByArgument {}

/// How training pictures are changed.
struct AugmentationOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help:
            "Train on parts of the pictures, as large as they are, with a black border of so many pixels (default: none)."
    )
    var cropPadding: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Train on parts of the pictures with shares of the area between these, resized (default with --ratio: "
                + "0.08,1; else none).", valueName: "least,greatest"))
    var scale: NumberList<Double>?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Ratios of width to height of these parts (default with --scale: 3/4 to 4/3).",
            valueName: "least,greatest"))
    var ratio: NumberList<Double>?

    @Option(parsing: .unconditional, help: "How probably a training picture is mirrored left to right.")
    var hflip: Double?

    @Option(parsing: .unconditional, help: "How probably a training picture is mirrored upside down.")
    var vflip: Double?

    @Flag(help: "Mirror each picture left to right in every other epoch, one half of them in the first.")
    var alternatingFlip = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "By how much brightness, contrast and saturation change at most: one number for all three, or three, or a "
                + "fourth for the hue.", valueName: "amount,…"))
    var colorJitter: NumberList<Double>?

    @Option(
        help: ArgumentHelp("One change drawn for each picture: TrivialAugmentWide.", valueName: "ta_wide"))
    var autoAugment: AugmentationSettings.AutoAugment?

    @Option(parsing: .unconditional, help: "How probably a rectangle of a training picture is erased.")
    var reprob: Double?

    @Option(
        help: ArgumentHelp(
            "What comes in its place: 0, which is the mean where --mean is subtracted (the default, as in torchvision), "
                + "a random colour, or random pixels (timm's default).",
            valueName: "const|rand|pixel"))
    var remode: RandomErasing.Mode?

    @Option(parsing: .unconditional, help: "How many rectangles are erased at most (default: 1).")
    var recount: Int?

    /// The settings with what was given; nil if nothing ever was.
    func applied(to base: AugmentationSettings?) -> AugmentationSettings? {
        var result = base ?? AugmentationSettings()
        if let cropPadding { result.cropPadding = cropPadding }
        if let scale { result.scale = scale.numbers }
        if let ratio { result.ratio = ratio.numbers }
        if let hflip { result.hflip = hflip }
        if let vflip { result.vflip = vflip }
        if alternatingFlip { result.alternatingFlip = true }
        if let colorJitter { result.colorJitter = colorJitter.numbers }
        if let autoAugment { result.autoAugment = autoAugment }
        if let reprob { result.reprob = reprob }
        if let remode { result.remode = remode }
        if let recount { result.recount = recount }
        return result == AugmentationSettings() ? nil : result
    }
}
