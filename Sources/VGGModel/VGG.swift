/// The rows of a VGG network: for each block, how many convolutions it has and how many channels they make.
///
/// `[(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]` is VGG-11.
public typealias ConvArch = [(convolutions: Int, channels: Int)]

/// A VGG block: 3×3 convolutions with padding 1, each followed by a ReLU, and a 2×2 max pool that halves
/// height and width (Simonyan & Zisserman 2014, section 2.1).
public func vggBlock(
    _ convolutions: Int, _ inChannels: Int, _ outChannels: Int, batchNorm: Bool = false
) -> Block {
    var layers: [Layer] = []
    var channels = inChannels
    for _ in 0..<convolutions {
        layers.append(.convolution(Convolution(channels, outChannels, kernel: 3, padding: 1)))
        if batchNorm { layers.append(.batchNorm(BatchNorm(outChannels))) }
        layers.append(.relu)
        channels = outChannels
    }
    layers.append(.maxPool(Pool(window: 2, stride: 2)))
    return .sequential(layers)
}

/// A VGG network: one block a row, then the classifier of three linear layers.
///
/// The first linear layer is sized from what the blocks make of `size`; with `adaptivePool` the maps are
/// first averaged to 7×7, as torchvision does, so that the same weights fit every size.
/// - Throws: `ModelError` if `size` is too small for so many blocks, or a number makes no sense.
public func vgg(
    _ convArch: ConvArch, size: Int = 224, inChannels: Int = 1, classes: Int = 10, dropout: Double = 0.5,
    batchNorm: Bool = false, adaptivePool: Bool = false, hiddenFeatures: Int = paperHiddenFeatures
) throws(ModelError) -> Network {
    var blocks: [Block] = []
    var channels = inChannels
    for (convolutions, outChannels) in convArch {
        blocks.append(vggBlock(convolutions, channels, outChannels, batchNorm: batchNorm))
        channels = outChannels
    }
    if adaptivePool { blocks.append(.single(.adaptiveAveragePool(height: 7, width: 7))) }

    let input = Shape.map(channels: inChannels, height: size, width: size)
    let features = try Network(input: input, blocks: blocks).output.count
    let head = classifier(
        features: features, hiddenFeatures: hiddenFeatures, classes: classes, dropout: dropout)
    return try Network(input: input, blocks: blocks + head)
}

/// Outputs of each hidden layer of the classifier, in the VGG paper and in AlexNet's.
public let paperHiddenFeatures = 4096

/// The classifier of VGG and AlexNet: two hidden layers, then one output a class.
func classifier(
    features: Int, hiddenFeatures: Int = paperHiddenFeatures, classes: Int, dropout: Double
) -> [Block] {
    let layers: [Layer] = [
        .flatten,
        .linear(Linear(features, hiddenFeatures)), .relu, .dropout(dropout),
        .linear(Linear(hiddenFeatures, hiddenFeatures)), .relu, .dropout(dropout),
        .linear(Linear(hiddenFeatures, classes)),
    ]
    return layers.map(Block.single)
}

/// AlexNet as the chapter's book has it: five convolutions, three max pools, the same classifier.
/// - Throws: `ModelError` if `size` is too small.
public func alexNet(
    size: Int = 224, inChannels: Int = 1, classes: Int = 10, dropout: Double = 0.5, widthDivisor: Int = 1
) throws(ModelError) -> Network {
    let pool = Layer.maxPool(Pool(window: 3, stride: 2))
    var layers: [Layer] = []
    var channels = inChannels
    func convolve(_ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int) {
        let narrowed = outChannels / widthDivisor
        layers += [
            .convolution(
                Convolution(channels, narrowed, kernel: kernel, stride: stride, padding: padding)), .relu,
        ]
        channels = narrowed
    }
    convolve(96, kernel: 11, stride: 4, padding: 1)
    layers.append(pool)
    convolve(256, kernel: 5, padding: 2)
    layers.append(pool)
    convolve(384, kernel: 3, padding: 1)
    convolve(384, kernel: 3, padding: 1)
    convolve(256, kernel: 3, padding: 1)
    layers.append(pool)

    let blocks = layers.map(Block.single)
    let input = Shape.map(channels: inChannels, height: size, width: size)
    let features = try Network(input: input, blocks: blocks).output.count
    return try Network(
        input: input, blocks: blocks + classifier(features: features, classes: classes, dropout: dropout))
}
