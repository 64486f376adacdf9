import VGGModel

/// What a picture is to be like: a number that is small where it is. Losses are added up.
///
///     let losses: [PictureLoss] = [
///         .content(layer: "relu4_2", like: features, weight: 1),
///         .style(layer: "relu1_1", like: gram, weight: 1e3), .totalVariation(weight: 1e-4),
///     ]
public enum PictureLoss: Sendable {
    /// The mean squared difference of a layer's outputs (Gatys et al. 2016, equation 1, as a mean).
    /// - Parameter like: [1, channels, height, width].
    case content(layer: String, like: Tensor, weight: Double)
    /// The mean squared difference of a layer's Gram matrices, each divided by the number of pixels (Gatys et al. 2016,
    /// equation 4, in the form of the authors' own program).
    /// - Parameter like: [1, channels, channels].
    case style(layer: String, like: Tensor, weight: Double)
    /// The squares of the differences of neighbouring pixels, whose brightness is 0…1, added up (Mahendran & Vedaldi 2015,
    /// "Understanding Deep Image Representations by Inverting Them", with β = 2).
    case totalVariation(weight: Double)
    /// A class's logit, taken away: what is small has a large one. Of a network with a classifier, and pictures of its size.
    case logit(Int, weight: Double)

    /// Of the network; nil for one that looks at the picture itself, and for the logits.
    var layer: String? {
        switch self {
        case .content(let layer, _, _), .style(let layer, _, _): layer
        case .totalVariation, .logit: nil
        }
    }

    var isLogit: Bool { if case .logit = self { true } else { false } }
}

/// What losses were, each kind with its weights.
public struct PictureLosses: Hashable, Sendable {
    /// Of all layers of the content.
    public var content = 0.0
    /// Of all layers of the styles.
    public var style = 0.0
    /// Of the picture's roughness.
    public var totalVariation = 0.0
    /// Of classes; negative where they are wanted.
    public var logit = 0.0

    /// The sum, which is made small.
    public var total: Double { content + style + totalVariation + logit }
}

extension PictureLoss {
    /// - Returns: the loss without its weight, and its gradient with respect to the output.
    static func content(
        _ output: Tensor, like target: Tensor, weight: Double
    ) -> (loss: Double, gradient: Tensor) {
        var difference = output.values.array
        difference.add(target.values.array, times: -1)
        let count = Double(difference.count)
        let loss = difference.dot(difference) / count
        let factor = Float(2 * weight / count)
        for place in difference.indices { difference[place] *= factor }
        return (loss, Tensor(shape: output.shape, values: difference))
    }

    /// - Parameter gram: of so many pixels, not divided by them.
    /// - Returns: the loss without its weight, and its gradient with respect to `gram`.
    static func style(
        _ gram: Tensor, pixels: Int, like target: Tensor, weight: Double
    ) -> (loss: Double, gradient: Tensor) {
        let count = Double(gram.values.count)
        let factor = 2 * weight / count / Double(pixels)
        var loss = 0.0
        let gradient = zip(gram.values.array, target.values.array).map { sum, wanted in
            let difference = Double(sum) / Double(pixels) - Double(wanted)
            loss += difference * difference
            return Float(factor * difference)
        }
        return (loss / count, Tensor(shape: gram.shape, values: gradient))
    }

    /// The total variation of a picture, [channels, height, width]. Adds its gradient, times the weight.
    static func totalVariation(
        _ picture: [Float], height: Int, width: Int, weight: Double, addingGradientTo gradient: inout [Float]
    ) -> Double {
        let factor = Float(2 * weight)
        var sum = 0.0
        for row in 0..<picture.count / width {
            // Each channel's last row has none below it.
            let hasBelow = row % height < height - 1
            var squares: Float = 0
            for place in row * width..<(row + 1) * width {
                if place < (row + 1) * width - 1 {
                    let difference = picture[place + 1] - picture[place]
                    squares += difference * difference
                    gradient[place + 1] += factor * difference
                    gradient[place] -= factor * difference
                }
                if hasBelow {
                    let difference = picture[place + width] - picture[place]
                    squares += difference * difference
                    gradient[place + width] += factor * difference
                    gradient[place] -= factor * difference
                }
            }
            sum += Double(squares)
        }
        return sum
    }
}
