import VGGImages
import VGGModel

/// How the images of a batch are mixed with each other, and their classes with them: timm's `Mixup` (Zhang et al. 2017,
/// "mixup: Beyond empirical risk minimization"; Yun et al. 2019, "CutMix: Regularization strategy to train strong
/// classifiers with localizable features").
///
/// The first image of a batch is mixed with the last, the second with the last but one, and so on; the middle one
/// of an odd number stays.
///
///     let mixtures = BatchMixing(mixup: 0.2).mixtures(draws, count: 128, height: 28, width: 28)
///     mixtures.mix(&images, channels: 1, height: 28, width: 28)
///     let partners = mixtures.partners(labels)
public struct BatchMixing: Hashable, Sendable {
    /// How much of a batch shares what is drawn (timm's `--mixup-mode`).
    public enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
        /// All of it, a pair of images, or each image for itself.
        case batch, pair, elem
    }

    /// The shares are distributed as Beta(alpha, alpha); 0 for no mixup.
    package var mixup: Double
    /// The same for cutmix; 0 for none.
    package var cutmix: Double
    /// Which parts of the height and of the width a rectangle of cutmix may have, in place of shares; nil for shares.
    package var cutmixSides: ClosedRange<Double>?
    /// How probably anything is mixed.
    package var probability: Double
    /// How probably it is cutmix where both may be.
    package var switchProbability: Double
    package var mode: Mode

    /// - Precondition: the numbers are not negative, and not both of the first are zero.
    package init(
        mixup: Double = 0, cutmix: Double = 0, cutmixSides: ClosedRange<Double>? = nil,
        probability: Double = 1, switchProbability: Double = 0.5, mode: Mode = .batch
    ) {
        precondition(
            min(mixup, cutmix) >= 0 && (max(mixup, cutmix) > 0 || cutmixSides != nil),
            "mixing needs a positive number for mixup or for cutmix")
        self.mixup = mixup
        self.cutmix = cutmix
        self.cutmixSides = cutmixSides
        self.probability = probability
        self.switchProbability = switchProbability
        self.mode = mode
    }

    /// What is drawn for the images of a batch: for each how it is mixed, nil where it is not.
    package func mixtures(_ draws: BatchDraws, count: Int, height: Int, width: Int) -> [Mixture?] {
        func drawn(_ element: Int) -> Mixture? {
            var words = draws.words(for: element)
            return mixture(height: height, width: width, &words)
        }
        switch mode {
        case .batch: return Array(repeating: drawn(0), count: count)
        case .pair: return (0..<count).map { drawn(min($0, count - 1 - $0)) }
        case .elem: return (0..<count).map(drawn)
        }
    }

    /// What is drawn once, in timm's order.
    private func mixture(height: Int, width: Int, _ words: inout RandomWords) -> Mixture? {
        guard words.uniform() < probability else { return nil }
        let mayCut = cutmix > 0 || cutmixSides != nil
        let cuts = mayCut && (mixup == 0 || words.uniform() < switchProbability)
        guard cuts else { return .blend(share: Float(words.beta(mixup))) }
        guard let sides = cutmixSides else {
            let share = words.beta(cutmix)
            let center = (words.integer(below: height), words.integer(below: width))
            return .paste(
                .cutmix(share: share, center: center, height: height, width: width), height: height,
                width: width)
        }
        // NumPy's integers stop before the end.
        func side(_ length: Int) -> Int {
            let (least, end) = (
                Int(Double(length) * sides.lowerBound), Int(Double(length) * sides.upperBound)
            )
            return least + words.integer(below: max(end - least, 1))
        }
        let (cutHeight, cutWidth) = (side(height), side(width))
        let top = words.integer(below: height - cutHeight + 1)
        let left = words.integer(below: width - cutWidth + 1)
        return .paste(
            Window(top: top, left: left, height: cutHeight, width: cutWidth), height: height, width: width)
    }
}

/// How an image is mixed with its partner.
package enum Mixture: Hashable, Sendable {
    /// So much of the image, and of its partner what is missing to 1.
    case blend(share: Float)
    /// The partner in a rectangle, and how much of the image is left.
    case paste(Window, share: Float)

    /// The partner in a rectangle of images of this size.
    package static func paste(_ window: Window, height: Int, width: Int) -> Mixture {
        .paste(window, share: Float(1 - Double(window.height * window.width) / Double(height * width)))
    }

    /// How much of the image's class is left.
    package var share: Float {
        switch self {
        case .blend(let share), .paste(_, let share): share
        }
    }
}

extension Window {
    /// timm's rectangle of cutmix: of the picture's form, with the area that is missing to the share, about a pixel,
    /// and cut at the edges.
    package static func cutmix(share: Double, center: (y: Int, x: Int), height: Int, width: Int) -> Window {
        let ratio = (1 - share).squareRoot()
        func range(_ center: Int, of length: Int) -> Range<Int> {
            let cut = Int(Double(length) * ratio)
            return (center - cut / 2..<center + (cut + 1) / 2).clamped(to: 0..<length)
        }
        let (rows, columns) = (range(center.y, of: height), range(center.x, of: width))
        return Window(
            top: rows.lowerBound, left: columns.lowerBound, height: rows.count, width: columns.count)
    }
}

/// Where the random numbers for one batch of an epoch come from.
package struct BatchDraws: Sendable {
    private let philox: Philox
    private let epoch: UInt32
    private let batch: UInt64

    /// - Parameter batch: its place in the epoch.
    package init(seed: UInt64, epoch: Int, batch: Int) {
        philox = Philox(seed: seed, stream: .mixing)
        self.epoch = UInt32(truncatingIfNeeded: epoch)
        self.batch = UInt64(UInt32(truncatingIfNeeded: batch))
    }

    /// Those for one of the batch's images, with 2¹² blocks of four words for rejections.
    func words(for element: Int) -> RandomWords {
        RandomWords(philox, sequence: epoch, from: batch << 32 | UInt64(element) << 12)
    }
}
