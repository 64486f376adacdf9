import Testing
import VGGModel

@Suite struct NetworkTests {
    private let map = Shape.map(channels: 3, height: 9, width: 6)

    private func output(_ layer: Layer, of input: Shape) throws -> Shape {
        try Network(input: input, blocks: [.single(layer)]).output
    }

    @Test func anEmptyNetworkPassesItsInputOn() throws {
        #expect(try Network(input: map, blocks: []).output == map)
    }

    /// PyTorch's formula: floor((extent + 2 padding - window) / stride) + 1.
    private static let windows = [
        (1, 1, 0, 9, 6), (3, 1, 1, 9, 6), (3, 1, 0, 7, 4), (2, 1, 1, 10, 7), (5, 2, 2, 5, 3), (3, 4, 1, 3, 2),
        (6, 1, 0, 4, 1), (11, 4, 3, 2, 1),
    ]

    @Test(arguments: windows)
    func windowsSlide(_ kernel: Int, _ stride: Int, _ padding: Int, _ height: Int, _ width: Int) throws {
        let layer = Layer.convolution(Convolution(3, 7, kernel: kernel, stride: stride, padding: padding))
        #expect(try output(layer, of: map) == .map(channels: 7, height: height, width: width))
    }

    @Test(arguments: windows.filter { $0.2 == 0 })
    func poolsSlideWithoutPadding(_ kernel: Int, _ stride: Int, _: Int, _ height: Int, _ width: Int) throws {
        let pooled = Shape.map(channels: 3, height: height, width: width)
        #expect(try output(.maxPool(Pool(window: kernel, stride: stride)), of: map) == pooled)
        #expect(try output(.averagePool(Pool(window: kernel, stride: stride)), of: map) == pooled)
    }

    @Test func otherLayersShapes() throws {
        #expect(try output(.relu, of: map) == map)
        #expect(try output(.relu, of: .vector(5)) == .vector(5))
        #expect(try output(.dropout(0), of: map) == map)
        #expect(try output(.batchNorm(BatchNorm(3)), of: map) == map)
        #expect(try output(.flatten, of: map) == .vector(162))
        #expect(try output(.flatten, of: .vector(5)) == .vector(5))
        #expect(try output(.linear(Linear(5, 2)), of: .vector(5)) == .vector(2))
        let pool = Layer.adaptiveAveragePool(height: 20, width: 2)
        #expect(try output(pool, of: map) == .map(channels: 3, height: 20, width: 2))
    }

    @Test func namesAreTorchvisions() throws {
        let network = try Network(
            input: map,
            blocks: [
                .sequential([.convolution(Convolution(3, 4, kernel: 1)), .batchNorm(BatchNorm(4)), .relu]),
                .single(.adaptiveAveragePool(height: 1, width: 1)), .single(.flatten),
                .single(.linear(Linear(4, 2))), .single(.relu), .single(.linear(Linear(2, 2))),
            ])
        let names = [
            "features.0", "features.1", "features.2", "avgpool", "flatten", "classifier.0", "classifier.1",
            "classifier.2",
        ]
        #expect(network.layers.map(\.name) == names)
        #expect(network.layers.map(\.block) == [0, 0, 0, 1, 2, 3, 4, 5])
        let running = network.parameters.filter { !$0.isTrained }
        #expect(running.map(\.name) == ["features.1.running_mean", "features.1.running_var"])
        #expect(network.parameterCount == 3 * 4 + 4 + 4 + 4 + 4 * 2 + 2 + 2 * 2 + 2)
        #expect(network.multiplyAccumulates == 3 * 4 * 54 + 4 * 2 + 2 * 2)
    }

    static let misfits: [(Layer, Shape, String)] = [
        (
            .convolution(Convolution(4, 1, kernel: 1)), .map(channels: 3, height: 2, width: 2),
            "layer features.0 (Conv2d): expects 4 input channels and gets 3"
        ),
        (
            .convolution(Convolution(3, 1, kernel: 1, stride: 0)), .map(channels: 3, height: 2, width: 2),
            "layer features.0 (Conv2d): kernel, stride and channels must be positive and padding not negative"
        ),
        (
            .convolution(Convolution(3, 1, kernel: 3, padding: -1)), .map(channels: 3, height: 9, width: 9),
            "layer features.0 (Conv2d): kernel, stride and channels must be positive and padding not negative"
        ),
        (
            .maxPool(Pool(window: 2, stride: 0)), .map(channels: 3, height: 2, width: 2),
            "layer features.0 (MaxPool2d): the window must be between 1 and 256, and the stride positive"
        ),
        (
            .adaptiveAveragePool(height: 0, width: 1), .map(channels: 3, height: 2, width: 2),
            "layer avgpool (AdaptiveAvgPool2d): the output size must be positive"
        ),
        (
            .batchNorm(BatchNorm(2)), .map(channels: 3, height: 2, width: 2),
            "layer features.0 (BatchNorm2d): expects 2 channels and gets 3"
        ),
        (
            .linear(Linear(4, 2)), .vector(3),
            "layer classifier.0 (Linear): expects 4 input features and gets 3"
        ),
        (.linear(Linear(3, 0)), .vector(3), "layer classifier.0 (Linear): must have at least one output"),
        (
            .linear(Linear(12, 2)), .map(channels: 3, height: 2, width: 2),
            "layer features.0 (Linear): cannot take an input of shape 3×2×2"
        ),
        (
            .maxPool(Pool(window: 1, stride: 1)), .vector(3),
            "layer classifier.0 (MaxPool2d): cannot take an input of shape 3"
        ),
        (
            .dropout(1), .vector(3),
            "layer classifier.0 (Dropout): the dropout probability must be at least 0 and less than 1"
        ),
        (
            .dropout(.nan), .vector(3),
            "layer classifier.0 (Dropout): the dropout probability must be at least 0 and less than 1"
        ),
    ]

    @Test(arguments: misfits) func aMisfitNamesTheLayer(_ layer: Layer, _ input: Shape, _ message: String) {
        let error = #expect(throws: ModelError.self) { try Network(input: input, blocks: [.single(layer)]) }
        #expect(error?.description == message)
    }

    @Test func aWindowLargerThanTheMapNamesTheBlock() {
        let blocks = [Block.single(.relu), .sequential([.relu, .averagePool(Pool(window: 7, stride: 1))])]
        let expected = ModelError.inputTooSmall(
            input: map, block: 2, layer: "AvgPool2d", extent: 6, window: 7)
        #expect(throws: expected) { try Network(input: map, blocks: blocks) }
    }
}
