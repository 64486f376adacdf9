/// One change a picture, chosen uniformly, as strong as chosen uniformly (Müller & Hutter 2021, "TrivialAugment:
/// Tuning-free Yet State-of-the-Art Data Augmentation"): torchvision's `TrivialAugmentWide`, of which the names, the
/// order and the strengths are.
public enum TrivialAugmentWide {
    package enum Kind: Int, CaseIterable {
        case identity, shearX, shearY, translateX, translateY, rotate, brightness, color, contrast, sharpness
        case posterize, solarize, autoContrast, equalize
    }

    /// How many strengths there are.
    static let magnitudeCount = 31

    /// The change that is drawn for an example.
    public static func operation(_ draw: ExampleDraw) -> ImageOperation {
        var words = draw.words(for: .trivialAugment)
        let kind = Kind.allCases[words.integer(below: Kind.allCases.count)]
        let magnitude = words.integer(below: magnitudeCount)
        return operation(kind, magnitude: magnitude, isNegative: words.integer(below: 2) == 1)
    }

    /// - Parameters:
    ///   - magnitude: the number of a strength, from 0; some kinds have none.
    ///   - isNegative: whether it goes the other way; some kinds have one way.
    package static func operation(_ kind: Kind, magnitude: Int, isNegative: Bool) -> ImageOperation {
        func strength(to limit: Float) -> Double {
            Double(number(magnitude, from: 0, to: limit)) * (isNegative ? -1 : 1)
        }
        return switch kind {
        case .identity: .identity
        case .shearX: .shearX(strength(to: 0.99))
        case .shearY: .shearY(strength(to: 0.99))
        case .translateX: .translateX(Int(strength(to: 32)))
        case .translateY: .translateY(Int(strength(to: 32)))
        case .rotate: .rotate(strength(to: 135))
        case .brightness: .brightness(1 + strength(to: 0.99))
        case .color: .color(1 + strength(to: 0.99))
        case .contrast: .contrast(1 + strength(to: 0.99))
        case .sharpness: .sharpness(1 + strength(to: 0.99))
        case .posterize: .posterize(8 - Int((Float(magnitude) / 5).rounded(.toNearestOrEven)))
        case .solarize: .solarize(Double(number(magnitude, from: 255, to: 0)))
        case .autoContrast: .autoContrast
        case .equalize: .equalize
        }
    }

    /// One of torch's `linspace(from, to, 31)`, which counts from the nearer end, in single precision and rounds once, as
    /// processors do that have the instruction for it. (On others torch's last bits differ.)
    private static func number(_ index: Int, from start: Float, to end: Float) -> Float {
        let last = magnitudeCount - 1
        let step = (end - start) / Float(last)
        return index < magnitudeCount / 2
            ? start.addingProduct(step, Float(index)) : end.addingProduct(-step, Float(last - index))
    }
}
