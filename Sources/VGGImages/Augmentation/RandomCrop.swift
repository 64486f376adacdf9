import Foundation

/// Which part of a picture with a border is taken, uniformly: torchvision's `RandomCrop` with `padding`.
public struct RandomCrop: Hashable, Sendable {
    /// The width of the border in pixels, on each side.
    public var padding: Int
    /// What the border shows.
    public var mode: PaddingMode

    /// - Precondition: `padding` is not negative.
    public init(padding: Int, mode: PaddingMode = .constant) {
        precondition(padding >= 0, "a border is not \(padding) pixels wide")
        self.padding = padding
        self.mode = mode
    }

    /// A window of the picture's size, whose places are those in the picture without the border.
    public func window(height: Int, width: Int, _ draw: ExampleDraw) -> Window {
        var words = draw.words(for: .crop)
        let top = words.integer(below: 2 * padding + 1) - padding
        let left = words.integer(below: 2 * padding + 1) - padding
        return Window(top: top, left: left, height: height, width: width)
    }
}

/// Which part of a picture is resized to the network's input: torchvision's `RandomResizedCrop` (Szegedy et al. 2014,
/// "Going deeper with convolutions", section 6).
public struct RandomResizedCrop: Hashable, Sendable {
    /// Which shares of the area the part may have; uniform.
    public var scale: ClosedRange<Double>
    /// Which ratios of width to height it may have; uniform in their logarithm.
    public var ratio: ClosedRange<Double>

    /// - Precondition: scale and ratio are positive.
    public init(scale: ClosedRange<Double> = 0.08...1, ratio: ClosedRange<Double> = 3 / 4...4 / 3) {
        precondition(scale.lowerBound > 0 && ratio.lowerBound > 0, "scales and ratios are positive")
        self.scale = scale
        self.ratio = ratio
    }

    /// A part of a picture of this size. After ten parts that do not fit it is the middle, as large as the ratios allow.
    public func window(height: Int, width: Int, _ draw: ExampleDraw) -> Window {
        var words = draw.words(for: .crop)
        let logarithms = log(ratio.lowerBound)...log(ratio.upperBound)
        for _ in 0..<10 {
            let area = Double(height * width) * words.uniform(in: scale)
            let form = exp(words.uniform(in: logarithms))
            // Rounded as Python does.
            let partWidth = Int((area * form).squareRoot().rounded(.toNearestOrEven))
            let partHeight = Int((area / form).squareRoot().rounded(.toNearestOrEven))
            guard (1...width).contains(partWidth), (1...height).contains(partHeight) else { continue }
            let top = words.integer(below: height - partHeight + 1)
            let left = words.integer(below: width - partWidth + 1)
            return Window(top: top, left: left, height: partHeight, width: partWidth)
        }
        return middle(height: height, width: width)
    }

    private func middle(height: Int, width: Int) -> Window {
        let form = Double(width) / Double(height)
        // One pixel at least, however narrow the picture is.
        func length(_ length: Double) -> Int { max(Int(length.rounded(.toNearestOrEven)), 1) }
        var (partHeight, partWidth) = (height, width)
        if form < ratio.lowerBound {
            partHeight = length(Double(width) / ratio.lowerBound)
        } else if form > ratio.upperBound {
            partWidth = length(Double(height) * ratio.upperBound)
        }
        return Window(
            top: (height - partHeight) / 2, left: (width - partWidth) / 2, height: partHeight,
            width: partWidth)
    }
}
