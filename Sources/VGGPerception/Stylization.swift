import VGGEngine
import VGGImages
import VGGModel

/// Paints a picture in the manner of others (Gatys et al. 2016, "Image Style Transfer Using Convolutional Neural Networks"):
/// changes it until a network's layers make of it what they make of the content, and their Gram matrices are those of the
/// styles.
///
///     let stylization = Stylization(vgg19, weights: weights, preprocessing: .imageNet, device: .best)
///     let picture = try stylization.picture(of: content, inTheMannerOf: [(painting, weight: 1)]) { state in
///         print(state.step, state.losses.total)
///         return true
///     }
public struct Stylization: Sendable {
    /// A picture whose manner is wanted, and how much it counts among others.
    public typealias Style = (picture: RGBImage, weight: Double)

    /// What is known after each step, and says of the picture before it.
    public struct State {
        /// Which scale, of how many.
        public let scale, scales: Int
        /// Steps that are done, of this scale.
        public let step, steps: Int
        /// What they were before the step.
        public let losses: PictureLosses
        /// What there is now.
        public let picture: () -> RGBImage
    }

    /// What counts how much, and how it is searched for.
    public var settings: StylizationSettings
    private let network: Network
    private let weights: [String: Tensor]
    private let colours: PictureColours
    private let device: Device

    /// - Parameters:
    ///   - network: of any size, with or without a classifier.
    ///   - weights: under torchvision's names; others beside them are passed over.
    ///   - preprocessing: whose colours and numbers the weights expect.
    public init(
        _ network: Network, weights: [String: Tensor], preprocessing: Preprocessing,
        settings: StylizationSettings = StylizationSettings(), device: Device
    ) {
        (self.network, self.weights, self.settings, self.device) = (network, weights, settings, device)
        colours = PictureColours(preprocessing)
    }

    /// The most bytes that are taken at a time.
    /// - Parameter content: whose sides are in the proportion of the result's.
    /// - Throws: `ModelError` or `PerceptionError` if the network cannot be used so.
    public func memory(of content: RGBImage) throws -> Int {
        try settings.scales.reduce(0) { most, scale in
            let (height, width) = content.sides(withLonger: scale.size)
            let pictures = try PictureNetwork(
                network, weights: weights, layers: layers, height: height, width: width,
                isAveraging: settings.isAveraging, borders: settings.borders, foldsBatchNorm: true)
            let plan = try pictures.plan(mode: .inputGradient, precision: settings.precision)
            return max(most, device.memory(of: plan, optimizer: nil).total + besides(height, width))
        }
    }

    /// - Parameter goesOn: is told of each step; whether there is to be another one.
    /// - Returns: what was made, at the last scale that was begun.
    /// - Throws: what `PictureObjective` throws; `PerceptionError.notFinite`.
    public func picture(
        of content: RGBImage, inTheMannerOf styles: [Style], _ goesOn: (State) throws -> Bool = { _ in true }
    ) throws -> RGBImage {
        precondition(!styles.isEmpty && !settings.scales.isEmpty, "there is a style, and a scale")
        var made: RGBImage?
        for (index, scale) in settings.scales.enumerated() {
            let (height, width) = content.sides(withLonger: scale.size)
            let own = content.resized(height: height, width: width)
            let objective = try PictureObjective(
                try losses(of: own, styles, size: scale.size), network, weights: weights, colours: colours,
                height: height, width: width, isAveraging: settings.isAveraging, borders: settings.borders,
                precision: settings.precision, beside: besides(height, width), device: device)
            var numbers =
                made.map { colours.numbers(of: $0.resized(height: height, width: width)) }
                ?? start(from: own)
            let pictureOf = { [colours, settings] (numbers: [Float]) -> RGBImage in
                let picture = colours.picture(of: numbers, height: height, width: width)
                return settings.keepsColours ? picture.withColours(of: own) : picture
            }
            var optimizer = settings.optimizer
            for step in 0..<scale.steps {
                let (losses, gradient) = try objective.evaluate(numbers)
                guard losses.total.isFinite else { throw PerceptionError.notFinite(step: step) }
                optimizer.step(&numbers, gradient)
                let now = numbers
                let state = State(
                    scale: index, scales: settings.scales.count, step: step + 1, steps: scale.steps,
                    losses: losses, picture: { pictureOf(now) })
                guard try goesOn(state) else { return pictureOf(numbers) }
            }
            // The next scale begins with its colours; the content's are put in at the end.
            made =
                index + 1 < settings.scales.count
                ? colours.picture(of: numbers, height: height, width: width) : pictureOf(numbers)
        }
        return made ?? content
    }

    private var layers: [String] {
        (settings.contentLayers(of: network) + settings.styleLayers(of: network)).map(\.layer)
    }

    /// Bytes beside the network's: the picture, its gradient and what becomes of these on their way, and the optimiser's.
    private func besides(_ height: Int, _ width: Int) -> Int {
        (8 + settings.optimizer.floatsPerNumber) * colours.channels * height * width
            * MemoryLayout<Float>.stride
    }

    private func losses(of content: RGBImage, _ styles: [Style], size: Int) throws -> [PictureLoss] {
        let contentLayers = settings.contentLayers(of: network)
        let styleLayers = settings.styleLayers(of: network)
        func features(_ picture: RGBImage, at layers: [String], gramsAt grams: [String]) throws
            -> PictureFeatures
        {
            try PictureFeatures(
                of: picture, at: layers, gramsAt: grams, network, weights: weights, colours: colours,
                isAveraging: settings.isAveraging, borders: settings.borders,
                precision: settings.precision, device: device)
        }
        var losses: [PictureLoss] = []
        if settings.contentWeight > 0 {
            let outputs = try features(content, at: contentLayers.map(\.layer), gramsAt: []).outputs
            losses += contentLayers.compactMap { own in
                outputs[own.layer].map {
                    .content(layer: own.layer, like: $0, weight: settings.contentWeight * own.weight)
                }
            }
        }
        let whole = styles.reduce(0) { $0 + $1.weight }
        for style in styles {
            let longer = max(1, Int((Double(size) * settings.styleScale).rounded()))
            let (height, width) = style.picture.sides(withLonger: longer)
            let grams = try features(
                style.picture.resized(height: height, width: width), at: [],
                gramsAt: styleLayers.map(\.layer)
            ).grams
            losses += styleLayers.compactMap { own in
                grams[own.layer].map { gram in
                    let channels = Double(gram.shape[1])
                    return .style(
                        layer: own.layer, like: gram,
                        weight: settings.styleWeight * own.weight * style.weight / whole
                            / (channels * channels))
                }
            }
        }
        if settings.variationWeight > 0 { losses.append(.totalVariation(weight: settings.variationWeight)) }
        return losses
    }

    private func start(from content: RGBImage) -> [Float] {
        let numbers = colours.numbers(of: content)
        guard case .noise(let seed) = settings.start else { return numbers }
        let philox = Philox(seed: seed, stream: .noise)
        return numbers.indices.map { Philox.uniform(philox.word(sequence: 0, element: $0)) }
    }
}

extension RGBImage {
    /// Its sides, where the longer one is to have so many pixels.
    public func sides(withLonger size: Int) -> (height: Int, width: Int) {
        let longer = max(height, width)
        func side(_ own: Int) -> Int { max(1, (2 * own * size + longer) / (2 * longer)) }
        return (side(height), side(width))
    }

    /// Stretched, as Pillow's `resize` with its bilinear filter does it.
    public func resized(height: Int, width: Int) -> RGBImage {
        guard (height, width) != (self.height, self.width) else { return self }
        let resampler = Resampler(
            height: self.height, width: self.width, toHeight: height, width: width, channels: 3)
        return RGBImage(width: width, height: height, pixels: resampler.resize(pixels))
    }

    /// This picture's brightness with another's colours, in JPEG's YCbCr (ITU-R BT.601).
    /// - Precondition: both have the same size.
    func withColours(of other: RGBImage) -> RGBImage {
        precondition((height, width) == (other.height, other.width), "both are of one size")
        var bytes = [UInt8](repeating: 0, count: pixels.count)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            func luma(_ picture: RGBImage) -> Float {
                0.299 * Float(picture.pixels[start]) + 0.587 * Float(picture.pixels[start + 1])
                    + 0.114 * Float(picture.pixels[start + 2])
            }
            // All three move by the same: what YCbCr keeps are the differences from the brightness.
            let move = luma(self) - luma(other)
            for place in start..<start + 3 {
                bytes[place] = UInt8(min(max(Float(other.pixels[place]) + move, 0), 255).rounded())
            }
        }
        return RGBImage(width: width, height: height, pixels: bytes)
    }
}
