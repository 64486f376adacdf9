import VGGImages
import VGGModel

/// What a run's configuration says about how its training pictures are changed; the names are timm's and torchvision's.
public struct AugmentationSettings: Hashable, Sendable, Codable {
    /// torchvision's name for `TrivialAugmentWide`.
    public enum AutoAugment: String, Hashable, Sendable, Codable, CaseIterable {
        /// `TrivialAugmentWide`.
        case trivialAugmentWide = "ta_wide"
    }

    /// The width of the border in pixels, on each side.
    public var cropPadding: Int?
    /// The least and the greatest share of the area of a part that is resized.
    public var scale: [Double]?
    /// The least and the greatest ratio of its sides.
    public var ratio: [Double]?
    /// How probably a picture is mirrored left to right.
    public var hflip: Double?
    /// How probably it is mirrored upside down.
    public var vflip: Double?
    /// Whether it is mirrored left to right in every other epoch; `hflip` is then the share that begins so, else a half.
    public var alternatingFlip: Bool?
    /// One number for brightness, contrast and saturation, or three, or four with the hue.
    public var colorJitter: [Double]?
    /// A change that is drawn from many; nil for none.
    public var autoAugment: AutoAugment?
    /// How probably rectangles are erased, what comes in their place, and how many there are at most.
    public var reprob: Double?
    /// What comes in the place of what is erased; nil for zeros.
    public var remode: RandomErasing.Mode?
    /// How many rectangles are erased at most; nil for one.
    public var recount: Int?

    /// Nothing is changed.
    public init() {}

    /// What the settings say.
    /// - Precondition: they are valid.
    package var augmentation: Augmentation {
        var result = Augmentation()
        if let cropPadding, cropPadding > 0 {
            result.crop = .padded(RandomCrop(padding: cropPadding))
        } else if scale != nil || ratio != nil {
            let usual = RandomResizedCrop()
            result.crop = .resized(
                RandomResizedCrop(
                    scale: scale.map { $0[0]...$0[1] } ?? usual.scale,
                    ratio: ratio.map { $0[0]...$0[1] } ?? usual.ratio))
        }
        if hflip != nil || vflip != nil || alternatingFlip == true {
            result.flip = RandomFlip(
                horizontal: hflip ?? (alternatingFlip == true ? 0.5 : 0), vertical: vflip ?? 0,
                alternates: alternatingFlip == true)
        }
        if let colorJitter {
            result.jitter =
                colorJitter.count == 1
                ? ColorJitter(colorJitter[0])
                : ColorJitter(
                    brightness: colorJitter[0], contrast: colorJitter[1], saturation: colorJitter[2],
                    hue: colorJitter.count > 3 ? colorJitter[3] : 0)
        }
        result.usesTrivialAugment = autoAugment == .trivialAugmentWide
        if let reprob {
            result.erasing = RandomErasing(probability: reprob, mode: remode ?? .const, count: recount ?? 1)
        }
        return result
    }

    /// - Throws: `TrainingError.invalidSetting` for a number that makes no sense, and for settings that contradict each
    ///   other.
    package func validate() throws(TrainingError) {
        if let cropPadding {
            if let reason = (0...1024).objection(to: cropPadding) {
                throw .invalidSetting(.cropPadding, reason: reason)
            }
            guard cropPadding == 0 || scale == nil && ratio == nil else {
                throw .invalidSetting(
                    .cropPadding,
                    reason: "and \(Setting.scale) or \(Setting.ratio) are two ways to take a part; give one")
            }
        }
        let ranges: [(Setting, [Double]?, ClosedRange<Double>)] = [
            (.scale, scale, 0.0001...1), (.ratio, ratio, 0.01...100),
        ]
        for case (let setting, let range?, let bounds) in ranges {
            guard range.count == 2, range[0] <= range[1], range.allSatisfy({ bounds ~= $0 }) else {
                throw .invalidSetting(
                    setting,
                    reason: "must be two numbers, the least and the greatest, between \(bounds.lowerBound) "
                        + "and \(Int(bounds.upperBound))")
            }
        }
        let probabilities: [(Setting, Double?)] = [(.hflip, hflip), (.vflip, vflip), (.reprob, reprob)]
        for case (let setting, let probability?) in probabilities where !(0...1 ~= probability) {
            throw .invalidSetting(setting, reason: "must be between 0 and 1, not \(probability)")
        }
        if let amounts = colorJitter {
            guard [1, 3, 4].contains(amounts.count), amounts.allSatisfy({ 0...100 ~= $0 }),
                amounts.count < 4 || amounts[3] <= 0.5
            else {
                throw .invalidSetting(
                    .colorJitter,
                    reason:
                        "must be one number from 0 to 100, or three for brightness, contrast and saturation, or a "
                        + "fourth, of at most 0.5, for the hue")
            }
        }
        guard reprob != nil || (remode == nil && recount == nil) else {
            throw .invalidSetting(remode != nil ? .remode : .recount, reason: "needs \(Setting.reprob)")
        }
        if let recount, let reason = (1...100).objection(to: recount) {
            throw .invalidSetting(.recount, reason: reason)
        }
    }
}
