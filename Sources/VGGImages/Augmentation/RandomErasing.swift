import Foundation
import VGGModel

/// Rectangles of a network's input that are replaced (Zhong et al. 2017, "Random erasing data augmentation"): timm's
/// `RandomErasing`, which works on what is normalised already.
public struct RandomErasing: Hashable, Sendable {
    /// What comes in place of the numbers (timm's `--remode`).
    public enum Mode: String, Hashable, Sendable, Codable, CaseIterable {
        /// Zero: the mean.
        case const
        /// A normal number for each channel.
        case rand
        /// A normal number for each pixel and channel.
        case pixel
    }

    /// timm's `--reprob`.
    public var probability: Double
    /// What comes in place of the numbers.
    public var mode: Mode
    /// How many rectangles there are at most, uniformly from 1 on (timm's `--recount`).
    public var count: Int
    /// Which shares of the area the rectangles may have together; uniform.
    public var area: ClosedRange<Double>
    /// The least ratio of height to width; the greatest is its inverse. Uniform in its logarithm.
    public var leastRatio: Double

    /// - Precondition: `count` and `leastRatio` are positive, `leastRatio` is at most 1.
    public init(
        probability: Double = 0.5, mode: Mode = .const, count: Int = 1,
        area: ClosedRange<Double> = 0.02...1 / 3, leastRatio: Double = 0.3
    ) {
        precondition(count > 0 && leastRatio > 0 && leastRatio <= 1, "rectangles need a number and a form")
        self.probability = probability
        self.mode = mode
        self.count = count
        self.area = area
        self.leastRatio = leastRatio
    }

    /// A rectangle and what comes into it.
    public struct Erasure: Hashable, Sendable {
        /// Within the network's input.
        public var window: Window
        /// One number for everything, one a channel, or `[channels, height, width]`.
        public var values: [Float]

        /// - Parameter values: as many as `values` says.
        public init(window: Window, values: [Float]) {
            self.window = window
            self.values = values
        }
    }

    /// The rectangles that are drawn for an example, in the order in which they are erased. A rectangle that does not
    /// fit ten times is left out.
    public func erasures(height: Int, width: Int, channels: Int, _ draw: ExampleDraw) -> [Erasure] {
        var words = draw.words(for: .erasing)
        guard words.uniform() < probability else { return [] }
        let number = count == 1 ? 1 : 1 + words.integer(below: count)
        let logarithms = log(leastRatio)...log(1 / leastRatio)
        return (0..<number).compactMap { _ in
            for _ in 0..<10 {
                let area = words.uniform(in: area) * Double(height * width) / Double(number)
                let form = exp(words.uniform(in: logarithms))
                // Rounded as Python does; on a small picture to nothing at times.
                let erasedHeight = Int((area * form).squareRoot().rounded(.toNearestOrEven))
                let erasedWidth = Int((area / form).squareRoot().rounded(.toNearestOrEven))
                guard erasedHeight < height, erasedWidth < width else { continue }
                let top = words.integer(below: height - erasedHeight + 1)
                let left = words.integer(below: width - erasedWidth + 1)
                let count =
                    switch mode {
                    case .const: 0
                    case .rand: channels
                    case .pixel: erasedHeight * erasedWidth * channels
                    }
                return Erasure(
                    window: Window(top: top, left: left, height: erasedHeight, width: erasedWidth),
                    values: mode == .const ? [0] : normals(count, &words))
            }
            return nil
        }
    }

    private func normals(_ count: Int, _ words: inout RandomWords) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count + 1)
        while values.count < count {
            let (first, second) = words.normals()
            values += [Float(first), Float(second)]
        }
        values.removeLast(values.count - count)
        return values
    }
}

extension RandomErasing.Erasure {
    /// Erases from a network's input `[channels, height, width]`.
    /// - Precondition: the rectangle lies within it, and there are values for it.
    public func apply(to input: inout MutableSpan<Float>, channels: Int, height: Int, width: Int) {
        precondition(
            input.count == channels * height * width && window.top >= 0 && window.left >= 0
                && window.top + window.height <= height && window.left + window.width <= width,
            "what is erased lies within the picture")
        let area = window.height * window.width
        precondition(
            [1, channels, channels * area].contains(values.count),
            "\(values.count) values are not those of \(channels)×\(window.height)×\(window.width)")
        for channel in 0..<channels {
            for row in 0..<window.height {
                let start = (channel * height + window.top + row) * width + window.left
                for column in 0..<window.width {
                    let place = (channel * window.height + row) * window.width + column
                    // As many numbers of the rectangle share a value.
                    input[start + column] = values[place * values.count / (channels * area)]
                }
            }
        }
    }
}
