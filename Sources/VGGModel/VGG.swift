/// A VGG block: 3×3 convolutions with padding 1, each followed by a ReLU, and a 2×2 max pool that halves
/// height and width (Simonyan & Zisserman 2014, section 2.1).
public func vggBlock(
    _ convolutions: Int, _ inChannels: Int, _ outChannels: Int, batchNorm: Bool = false, dropout: Double = 0
) -> Block {
    vggBlock(
        inChannels, Array(repeating: outChannels, count: convolutions), batchNorm: batchNorm, dropout: dropout
    )
}

/// A VGG block whose convolutions make different numbers of channels.
/// - Parameters:
///   - outChannels: of each convolution.
///   - dropout: the probability of a dropout layer after the pool; 0 for none.
public func vggBlock(
    _ inChannels: Int, _ outChannels: [Int], batchNorm: Bool = false, dropout: Double = 0
) -> Block {
    var layers: [Layer] = []
    for (channels, outChannels) in zip([inChannels] + outChannels, outChannels) {
        layers.append(.convolution(Convolution(channels, outChannels, kernel: 3, padding: 1)))
        if batchNorm { layers.append(.batchNorm(BatchNorm(outChannels))) }
        layers.append(.relu)
    }
    layers.append(.maxPool(Pool(window: 2, stride: 2)))
    if dropout > 0 { layers.append(.dropout(dropout)) }
    return .sequential(layers)
}

/// A VGG network: one block a row, then a classifier of linear layers.
///
/// The first linear layer is sized from what the blocks make of `size`; with `pool` the maps are first averaged to
/// `pool` × `pool`, as torchvision does with 7, so that the same weights fit every size.
/// - Parameters:
///   - hiddenFeatures: the outputs of each linear layer before the last; none for one linear layer alone.
///   - classes: the outputs of the last linear layer; 0 leaves it out, as timm does. Without hidden layers too, the
///     network is its blocks and has no classifier.
///   - blockDropout: the probability of a dropout layer at the end of each block, which the paper has not; 0 for none.
/// - Throws: `ModelError` if `size` is too small for so many blocks, or a number makes no sense.
public func vgg(
    _ convArch: ConvArch, size: Int = 224, inChannels: Int = 1, classes: Int = 10, dropout: Double = 0.5,
    batchNorm: Bool = false, pool: Int? = nil, hiddenFeatures: [Int] = paperHiddenFeatures,
    blockDropout: Double = 0
) throws(ModelError) -> Network {
    var blocks: [Block] = []
    var channels = inChannels
    for widths in convArch.blocks {
        blocks.append(vggBlock(channels, widths, batchNorm: batchNorm, dropout: blockDropout))
        channels = widths.last ?? channels
    }
    if let pool { blocks.append(.single(.adaptiveAveragePool(height: pool, width: pool))) }

    let input = Shape.map(channels: inChannels, height: size, width: size)
    let features = try Network(input: input, blocks: blocks).output.count
    let head = classifier(
        features: features, hiddenFeatures: hiddenFeatures, classes: classes, dropout: dropout)
    return try Network(input: input, blocks: blocks + head)
}

/// Outputs of the hidden layers of the classifier, in the VGG paper and in AlexNet's.
public let paperHiddenFeatures = [4096, 4096]

/// The classifier of VGG and AlexNet: the hidden layers, each with ReLU and dropout, then one output a class.
func classifier(
    features: Int, hiddenFeatures: [Int] = paperHiddenFeatures, classes: Int, dropout: Double
) -> [Block] {
    guard classes > 0 || !hiddenFeatures.isEmpty else { return [] }
    var layers = [Layer.flatten]
    for (inFeatures, outFeatures) in zip([features] + hiddenFeatures, hiddenFeatures) {
        layers += [.linear(Linear(inFeatures, outFeatures)), .relu, .dropout(dropout)]
    }
    if classes > 0 { layers.append(.linear(Linear(hiddenFeatures.last ?? features, classes))) }
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
