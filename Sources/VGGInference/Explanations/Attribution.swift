import Foundation
import VGGModel

/// Ways to say how much each number of an image speaks for a class.
public enum Attribution: String, CaseIterable, Sendable {
    /// The gradient of the class's logit (Simonyan et al. 2014, "Deep Inside Convolutional Networks", section 3).
    case saliency
    /// Its mean over copies of the image with noise (Smilkov et al. 2017, "SmoothGrad").
    case smoothgrad
    /// The gradient, of which every ReLU passes back what is positive (Springenberg et al. 2015, "Striving for Simplicity").
    case guidedBackprop = "guided-backprop"
    /// The image times the mean gradient on the straight way to it from the image of zeros (Sundararajan et al. 2017,
    /// "Axiomatic Attribution for Deep Networks"): sums up to the difference of the logits.
    case integratedGradients = "integrated-gradients"
    /// How much the logit falls where a square of the image is zero (Zeiler & Fergus 2014, "Visualizing and Understanding
    /// Convolutional Networks", section 4.2).
    case occlusion

    /// What the ways are tuned by.
    public struct Settings: Hashable, Sendable {
        /// Noisy copies of SmoothGrad, and places on the way of integrated gradients.
        public var samples = 50
        /// The deviation of SmoothGrad's noise, as a share of the distance from the image's least to its largest number.
        public var noise = 0.15
        /// The side of occlusion's square, and the distance from one to the next, in pixels; nil for an eighth of the image's
        /// shorter side, and for half of the square's.
        public var window: Int?
        /// How far one square of occlusion is from the next, in pixels; nil for half of the square's side.
        public var stride: Int?
        /// Of SmoothGrad's noise.
        public var seed: UInt64 = 0

        /// The defaults of the papers.
        public init() {}
    }

    /// An attribution's numbers as a picture may show them: of saliency, SmoothGrad and guided backpropagation the largest size
    /// among the channels, of the others the sum of the channels where it is positive.
    /// - Parameter attribution: [channels, height, width].
    /// - Returns: [height, width], no number negative.
    public func map(of attribution: Tensor) -> Tensor {
        let pixels = attribution.shape[1] * attribution.shape[2]
        let values = (0..<pixels).map { pixel -> Float in
            let channels = (0..<attribution.shape[0]).map { attribution.values[$0 * pixels + pixel] }
            return switch self {
            case .saliency, .smoothgrad, .guidedBackprop: channels.map(abs).max() ?? 0
            case .integratedGradients, .occlusion: max(0, channels.reduce(0, +))
            }
        }
        return Tensor(shape: Array(attribution.shape.dropFirst()), values: values)
    }
}

extension LogitGradients {
    /// How much each number of an image speaks for a class.
    /// - Parameters:
    ///   - image: one.
    ///   - label: 0 ..< classes.
    /// - Returns: [channels, height, width].
    /// - Throws: `InputError` if the image is of another shape than the network's; `DeviceError`.
    public func attribution(
        _ way: Attribution, of image: ImageBatch, class label: Int,
        settings: Attribution.Settings = Attribution.Settings()
    ) throws -> Tensor {
        precondition(
            image.count == 1 && settings.samples > 0, "one image is explained, by one sample at least")
        let values: [Float]
        switch way {
        case .saliency: values = Array(try gradient(of: image, class: label).values)
        case .guidedBackprop:
            values = Array(try gradient(of: image, class: label, isGuided: true).values)
        case .smoothgrad:
            values = try meanGradient(settings.samples, of: image, class: label) { sample in
                image.values.noisy(by: settings.noise, Philox(seed: settings.seed, stream: .noise), sample)
            }
        case .integratedGradients:
            // The middles of as many parts of the way.
            let mean = try meanGradient(settings.samples, of: image, class: label) { sample in
                let share = (Float(sample) + 0.5) / Float(settings.samples)
                return image.values.map { share * $0 }
            }
            values = zip(mean, image.values).map { $0 * $1 }
        case .occlusion: values = try occlusion(of: image, class: label, settings)
        }
        return Tensor(shape: input.dimensions, values: values)
    }

    private func meanGradient(
        _ samples: Int, of image: ImageBatch, class label: Int, _ sample: (Int) -> [Float]
    ) throws -> [Float] {
        var sums = [Double](repeating: 0, count: input.count)
        for first in stride(from: 0, to: samples, by: batchSize) {
            let count = min(batchSize, samples - first)
            let batch = try ImageBatch(
                (first..<first + count).flatMap(sample), count: count, shape: input)
            let gradients = try gradient(of: batch, class: label).values
            for (place, value) in gradients.enumerated() { sums[place % input.count] += Double(value) }
        }
        return sums.map { Float($0 / Double(samples)) }
    }

    /// A number gets the mean of what the squares over it say.
    private func occlusion(
        of image: ImageBatch, class label: Int, _ settings: Attribution.Settings
    ) throws -> [Float] {
        let (channels, height, width) = (input.dimensions[0], input.dimensions[1], input.dimensions[2])
        let window = min(settings.window ?? max(1, min(height, width) / 8), min(height, width))
        let step = max(1, settings.stride ?? window / 2)
        // The last square of a row or column may stand out.
        func starts(_ extent: Int) -> [Int] { (0...(extent - window + step - 1) / step).map { $0 * step } }
        let squares = starts(height).flatMap { y in
            starts(width).map { x in (y..<min(y + window, height), x..<min(x + window, width)) }
        }
        func forEachNumber(_ square: (Range<Int>, Range<Int>), _ body: (Int) -> Void) {
            for channel in 0..<channels {
                for y in square.0 { for x in square.1 { body((channel * height + y) * width + x) } }
            }
        }
        let whole = try logits(image)[label]
        var sums = [Double](repeating: 0, count: input.count)
        var counts = [Int](repeating: 0, count: input.count)
        for first in stride(from: 0, to: squares.count, by: batchSize) {
            let part = squares[first..<min(first + batchSize, squares.count)]
            let covered = part.flatMap { square in
                var values = image.values
                forEachNumber(square) { values[$0] = 0 }
                return values
            }
            let logits = try logits(try ImageBatch(covered, count: part.count, shape: input))
            for (place, square) in part.enumerated() {
                let fall = Double(whole - logits[place * classes + label])
                forEachNumber(square) { number in
                    sums[number] += fall
                    counts[number] += 1
                }
            }
        }
        return zip(sums, counts).map { $1 == 0 ? 0 : Float($0 / Double($1)) }
    }
}

extension [Float] {
    /// The same with normal noise.
    /// - Parameter share: of the distance from the least to the largest number, the noise's deviation.
    fileprivate func noisy(by share: Double, _ philox: Philox, _ sequence: Int) -> [Float] {
        let deviation = share * Double((self.max() ?? 0) - (self.min() ?? 0))
        var words = RandomWords(philox, sequence: UInt32(sequence))
        var noise: [Double] = []
        noise.reserveCapacity(count + 1)
        while noise.count < count {
            let (first, second) = words.normals()
            noise += [first, second]
        }
        return zip(self, noise).map { $0 + Float(deviation * $1) }
    }
}
