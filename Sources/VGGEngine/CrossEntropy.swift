/// The loss of a training, in PyTorch's definition (`torch.nn.CrossEntropyLoss`). That of a test is the same with nothing said.
///
///     executor.trainingStep(images, optimizer: optimizer, loss: CrossEntropy(smoothing: 0.1))
///
/// Where images are mixed (`ImageBatch.partners`) it is timm's `SoftTargetCrossEntropy` of what its `mixup_target` says.
public struct CrossEntropy: Hashable, Sendable {
    /// What all classes share alike of the target 1 of each image (Szegedy et al. 2015, "Rethinking the Inception
    /// architecture", section 7).
    public var smoothing: Float
    /// How much each class counts; nil for all alike. The mean is then one by the weights of the images' own classes.
    public var classWeights: [Float]?
    /// How much a whole batch counts, for a part of it. The losses of parts are then plain sums, for `sum` to make the batch's of.
    package var batchWeight: Double?

    /// The plain loss where nothing is said.
    public init(smoothing: Float = 0, classWeights: [Float]? = nil) {
        self.smoothing = smoothing
        self.classWeights = classWeights
    }

    /// How much images count in a mean loss: as many as they are, or as their classes' weights say.
    public func weight(of labels: [Int32]) -> Double {
        guard let classWeights else { return Double(labels.count) }
        return labels.reduce(0) { $0 + Double(classWeights[Int($1)]) }
    }

    /// What a batch's mean loss is made of the sum by.
    /// - Parameter labels: of the node's images.
    package func scale(of labels: [Int32], in node: SumTree) -> Double {
        guard classWeights != nil else { return 1 / Double(node.batch) }
        precondition(
            batchWeight != nil || node.images.count == node.batch,
            "the weights of a part of a batch are not those of the whole")
        return 1 / (batchWeight ?? weight(of: labels))
    }

    /// The sum of which the mean of `count` images is the batch's loss.
    package func sum(_ sum: Double, of count: Int, _ scale: Double) -> Double {
        classWeights == nil ? sum : sum * scale * Double(count)
    }
}
