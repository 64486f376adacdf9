import VGGEngine
import VGGModel

/// The gradient of a class's logit with respect to what a network sees: what the explanations of its answers are made of.
///
/// The network answers as in inference: batch norms are part of the convolutions before them, dropout does nothing. For one
/// thread of the caller at a time.
public final class LogitGradients {
    /// Logits of an image.
    public let classes: Int
    /// Of one image.
    public let input: Shape
    /// So many images are run at once.
    public let batchSize: Int
    /// Where the network's layers are in the one that runs.
    let places: [Int]
    private let executor: Executor
    private let head: Int

    /// - Parameters:
    ///   - network: any that ends in a linear layer.
    ///   - weights: under torchvision's names.
    /// - Throws: `WeightsError`; `PlanError`, also if a batch norm follows no convolution.
    public convenience init(
        _ network: Network, weights: [String: Tensor], batchSize: Int = 1, device: Device
    ) throws {
        try self.init(network, weights: weights, keeping: nil, batchSize: batchSize, device: device)
    }

    /// - Parameter layer: of the network, whose maps and their gradient are wanted.
    init(
        _ network: Network, weights: [String: Tensor], keeping layer: Int?, batchSize: Int, device: Device
    ) throws {
        let folded = try network.foldingBatchNorm()
        places = folded.places
        head = folded.network.layers.count - 1
        classes = network.output.count
        input = network.input
        self.batchSize = batchSize
        let plan = try Plan(
            folded.network, batchSize: batchSize, mode: .inputGradient,
            keeping: Set([head] + (layer.map { [folded.places[$0]] } ?? [])))
        try plan.checkFits(on: device)
        executor = try Executor(plan: plan, device: device)
        try executor.load(try folded.weights(from: weights))
    }

    /// The logits of images, as many as there are.
    /// - Returns: [count, classes].
    /// - Throws: `InputError` if they are of another shape than the network's; `DeviceError`.
    public func logits(_ images: ImageBatch) throws -> [Float] {
        try images.check(fits: input)
        let logits = stride(from: 0, to: images.count, by: batchSize).flatMap { first in
            executor.logits(images[first..<min(first + batchSize, images.count)])
        }
        try executor.checkDevice()
        return logits
    }

    /// The gradient of a class's logit with respect to each of the images, as many as there are.
    /// - Parameters:
    ///   - label: 0 ..< classes.
    ///   - isGuided: passes back only what is positive wherever a ReLU was passed.
    /// - Returns: [count, channels, height, width].
    /// - Throws: `InputError` if they are of another shape than the network's; `DeviceError`.
    public func gradient(
        of images: ImageBatch, class label: Int, isGuided: Bool = false
    ) throws -> Tensor {
        try images.check(fits: input)
        let values = stride(from: 0, to: images.count, by: batchSize).flatMap { first in
            let part = images[first..<min(first + batchSize, images.count)]
            return executor.gradient(of: part, isGuided: isGuided) { _ in
                [head: oneHot(label, count: part.count)]
            }.values
        }
        try executor.checkDevice()
        return Tensor(shape: [images.count] + input.dimensions, values: values)
    }

    /// What the kept layer makes of an image, and the gradient of a logit with respect to it, both [1, channels, height, width].
    func mapsAndGradients(
        of image: ImageBatch, class label: Int, layer: Int
    ) throws -> (maps: Tensor, gradients: Tensor) {
        try image.check(fits: input)
        let place = places[layer]
        var maps = Tensor(shape: [0], values: [])
        let gradients = executor.gradient(of: image, withRespectTo: place) { outputs in
            maps = outputs[place] ?? maps
            return [head: oneHot(label, count: 1)]
        }
        try executor.checkDevice()
        return (maps, gradients)
    }

    /// The gradient of one class's logits with respect to all: [count, classes].
    private func oneHot(_ label: Int, count: Int) -> Tensor {
        precondition((0..<classes).contains(label), "there is no class \(label)")
        return Tensor(
            shape: [count, classes],
            values: (0..<count * classes).map { $0 % classes == label ? 1 : 0 })
    }
}
