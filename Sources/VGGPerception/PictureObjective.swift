import VGGEngine
import VGGImages
import VGGModel

/// Losses of pictures of one size by one network, and how they change with every number of the picture. For one thread of the
/// caller at a time.
public final class PictureObjective {
    /// Of a picture.
    public let height, width: Int
    private let colours: PictureColours
    private let losses: [PictureLoss]
    private let executor: Executor
    private let places: [String: Int]
    private let head: Int?

    /// - Parameters:
    ///   - whole: of any size. Where one of the losses is a logit, with a classifier and of the pictures' size.
    ///   - weights: under torchvision's names; others beside them are passed over.
    ///   - colours: as the weights expect them.
    ///   - isAveraging: makes average pools of the max pools.
    ///   - borders: of the convolutions; zero where one of the losses is a logit.
    ///   - precision: of the network's arithmetic; losses and matrices are made in single precision. Not mixed where one of the
    ///     losses is a logit.
    ///   - others: bytes that are needed beside the network's.
    /// - Throws: what `PictureNetwork` throws, and `PlanError`.
    public init(
        _ losses: [PictureLoss], _ whole: Network, weights: [String: Tensor], colours: PictureColours,
        height: Int, width: Int, isAveraging: Bool = false, borders: Convolution.Borders = .zero,
        precision: Precision = .fp32, beside others: Int = 0, device: Device
    ) throws {
        (self.losses, self.colours, self.height, self.width) = (losses, colours, height, width)
        if losses.contains(where: \.isLogit) {
            let folded = try whole.foldingBatchNorm()
            let indices = try losses.compactMap(\.layer).map { ($0, try whole.layerIndex(named: $0)) }
            places = Dictionary(
                indices.map { ($0, folded.places[$1]) }, uniquingKeysWith: { first, _ in first })
            let head = folded.network.layers.count - 1
            self.head = head
            let plan = try Plan(
                folded.network, batchSize: 1, mode: .inputGradient, precision: precision,
                keeping: Set(places.values).union([head]))
            try plan.checkFits(on: device) { _ in others }
            executor = try Executor(plan: plan, device: device)
            try executor.load(try folded.weights(from: weights))
        } else {
            let pictures = try PictureNetwork(
                whole, weights: weights, layers: losses.compactMap(\.layer), height: height, width: width,
                isAveraging: isAveraging, borders: borders, foldsBatchNorm: true)
            (places, head) = (pictures.places, nil)
            executor = try pictures.executor(
                mode: .inputGradient, precision: precision, beside: others, device: device)
        }
    }

    /// The losses of a picture and the gradient of their sum.
    /// - Parameter picture: as `PictureColours` has it, [channels, height, width].
    /// - Throws: `InputError` if it is of another size, or `DeviceError`.
    public func evaluate(_ picture: [Float]) throws -> (losses: PictureLosses, gradient: [Float]) {
        let input = try colours.input(of: picture, height: height, width: width)
        try input.check(fits: executor.plan.network.input)
        var sums = PictureLosses()
        let inputGradient = executor.inputGradient(of: input) {
            (outputs: [Int: KeptOutput]) -> [Int: [OutputGradient]] in
            var gradients: [Int: [OutputGradient]] = [:]
            // Several styles of a layer need its matrix once.
            var grams: [Int: Tensor] = [:]
            for loss in losses {
                guard let layer = loss.layer.map({ places[$0] }) ?? head, let output = outputs[layer] else {
                    continue
                }
                switch loss {
                case .content(_, let target, let weight):
                    let (value, gradient) = PictureLoss.content(output.tensor, like: target, weight: weight)
                    sums.content += weight * value
                    gradients[layer, default: []].append(.values(gradient))
                case .style(_, let target, let weight):
                    let gram = grams[layer] ?? output.gram
                    grams[layer] = gram
                    let (value, gradient) = PictureLoss.style(
                        gram, pixels: output.shape.dropFirst(2).reduce(1, *), like: target, weight: weight)
                    sums.style += weight * value
                    gradients[layer, default: []].append(.gram(gradient))
                case .logit(let label, let weight):
                    let logits = output.tensor
                    sums.logit -= weight * Double(logits.values[label])
                    var gradient = Tensor(zeros: logits.shape)
                    gradient.values[label] = -Float(weight)
                    gradients[layer, default: []].append(.values(gradient))
                case .totalVariation: break
                }
            }
            return gradients
        }
        try executor.checkDevice()
        var gradient = colours.gradient(of: inputGradient.values)
        for case .totalVariation(let weight) in losses {
            sums.totalVariation +=
                weight
                * PictureLoss.totalVariation(
                    picture, height: height, width: width, weight: weight, addingGradientTo: &gradient)
        }
        return (sums, gradient)
    }
}

/// What a network makes of a picture at some of its layers: what others are to be like.
public struct PictureFeatures: Sendable {
    /// [1, channels, height, width].
    public private(set) var outputs: [String: Tensor] = [:]
    /// Gram matrices divided by the number of pixels, [1, channels, channels].
    public private(set) var grams: [String: Tensor] = [:]

    /// - Parameters:
    ///   - layers: whose outputs are wanted.
    ///   - gramLayers: whose Gram matrices are.
    /// - Throws: what `PictureNetwork` throws, `PlanError`, or `DeviceError`.
    public init(
        of picture: RGBImage, at layers: [String], gramsAt gramLayers: [String], _ whole: Network,
        weights: [String: Tensor], colours: PictureColours, isAveraging: Bool = false,
        borders: Convolution.Borders = .zero, precision: Precision = .fp32, device: Device
    ) throws {
        let pictures = try PictureNetwork(
            whole, weights: weights, layers: layers + gramLayers, height: picture.height,
            width: picture.width, isAveraging: isAveraging, borders: borders)
        let executor = try pictures.executor(mode: .inference, precision: precision, device: device)
        let input = try colours.input(
            of: colours.numbers(of: picture), height: picture.height, width: picture.width)
        executor.visitKeptLayers(of: input) { output in
            for name in layers where pictures.places[name] == output.layer { outputs[name] = output.tensor }
            for name in gramLayers where pictures.places[name] == output.layer {
                var gram = output.gram
                let pixels = Float(output.shape.dropFirst(2).reduce(1, *))
                for place in gram.values.indices { gram.values[place] /= pixels }
                grams[name] = gram
            }
        }
        try executor.checkDevice()
    }
}
