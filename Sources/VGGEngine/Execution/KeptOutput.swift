import VGGModel

/// What a kept layer has made of a batch, while it lies in the device's memory: what is asked for is made there, or
/// copied. It is for the function that it is given to, and means nothing afterwards.
public struct KeptOutput {
    /// Of `network.layers`.
    public let layer: Int
    /// [count, channels, height, width], or [count, features] of a vector.
    public let shape: [Int]
    let step: Int
    let bound: any BoundPlan

    private var count: Int { shape[0] }
    private var channels: Int { shape[1] }

    /// All of it.
    public var tensor: Tensor { Tensor(shape: shape, values: bound.output(of: step, count: count)) }

    /// Of each image the Gram matrix: the products of every two channels, summed over the pixels, [count, channels,
    /// channels] (Gatys et al. 2016, "Image Style Transfer", equation 3).
    public var gram: Tensor {
        Tensor(
            shape: [count, channels, channels],
            values: bound.gram(of: step, channels: channels, count: count))
    }

    /// All of it to be compared with that of other images: each channel times a factor, in an order of the device's own.
    /// - Parameters:
    ///   - factors: one a channel.
    ///   - isNormalized: each pixel is divided by the length of its channels first.
    /// - Returns: [count, numbers of an image].
    public func scaled(by factors: [Float], isNormalized: Bool) -> [Float] {
        precondition(factors.count == channels, "there is one factor a channel")
        return bound.scaledOutput(of: step, by: factors, isNormalized: isNormalized, count: count)
    }

    /// Of the first image and the second, the third and the fourth and so on, the sum of the squared differences of what `scaled`
    /// makes of them.
    public func squaredDistances(by factors: [Float], isNormalized: Bool) -> [Double] {
        precondition(factors.count == channels, "there is one factor a channel")
        return bound.squaredDistances(of: step, by: factors, isNormalized: isNormalized, count: count)
    }
}

/// How a number changes with what a kept layer has made.
public enum OutputGradient: Sendable {
    /// In the shape of the layer's output.
    case values(Tensor)
    /// By way of `KeptOutput.gram`, with which the number changes like this: symmetric, [count, channels, channels].
    case gram(Tensor)
}

extension Executor {
    /// Runs images in inference mode, and hands out the outputs of the kept layers, each when it was made; the later
    /// ones may take its place.
    /// - Parameter images: at most the batch size.
    public func visitKeptLayers(of images: ImageBatch, _ body: (KeptOutput) -> Void) {
        visitKeptLayers(of: images, Pass(SumTree(images: images.count), isTraining: false), body)
    }

    func visitKeptLayers(of images: ImageBatch, _ pass: Pass, _ body: (KeptOutput) -> Void) {
        forward(pass, images) { step in
            for layer in plan.keptLayers.sorted() where plan.step(of: layer) == step {
                body(
                    KeptOutput(
                        layer: layer, shape: shape(of: layer, count: images.count), step: step, bound: bound))
            }
        }
    }
}
