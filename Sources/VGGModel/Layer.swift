/// One layer of a network. The names are PyTorch's; a layer declares both ends, as the chapter's does.
public enum Layer: Hashable, Sendable {
    /// `Conv2d`.
    case convolution(Convolution)
    /// `BatchNorm2d`.
    case batchNorm(BatchNorm)
    /// `ReLU`: what is negative becomes zero.
    case relu
    /// `MaxPool2d`: the largest number of each window.
    case maxPool(Pool)
    /// `AvgPool2d`: the mean of each window.
    case averagePool(Pool)
    /// Average pooling to a fixed output size, whatever the input's (PyTorch's `AdaptiveAvgPool2d`).
    case adaptiveAveragePool(height: Int, width: Int)
    /// From channels × height × width to one vector, channels outermost.
    case flatten
    /// `Linear`.
    case linear(Linear)
    /// Zeroes each element with this probability while training and scales the rest by 1/(1-p).
    case dropout(Double)
}

/// A two-dimensional convolution with a bias; the kernel is square.
public struct Convolution: Hashable, Sendable {
    /// Channels of the input.
    public var inChannels: Int
    /// Channels of the output.
    public var outChannels: Int
    /// The side of the window, in pixels.
    public var kernel: Int
    /// How far one window is from the next, in pixels.
    public var stride: Int
    /// Pixels that are added on each side of the map.
    public var padding: Int
    /// What they are.
    public internal(set) var borders = Borders.zero

    /// What lies around a map.
    public enum Borders: String, CaseIterable, Sendable {
        /// As networks are trained.
        case zero
        /// The map, mirrored about its outermost pixels (PyTorch's `padding_mode="reflect"`). `Network.maps` makes it.
        case reflect
    }

    /// Both ends, and the window.
    public init(_ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0) {
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
    }
}

/// A square pooling window without padding; a window that would leave the map is dropped (floor).
public struct Pool: Hashable, Sendable {
    /// The side of the window, in pixels.
    public var window: Int
    /// How far one window is from the next, in pixels.
    public var stride: Int

    /// A pool by its window's side and the distance of windows.
    public init(window: Int, stride: Int) {
        self.window = window
        self.stride = stride
    }
}

/// Batch normalisation over batch, height and width (Ioffe & Szegedy 2015), with PyTorch's defaults.
public struct BatchNorm: Hashable, Sendable {
    /// Of input and output.
    public var channels: Int
    /// Added to the variance.
    public var epsilon: Float = 1e-5
    /// The weight of the newest batch in the running statistics.
    public var momentum: Float = 0.1

    /// With PyTorch's `eps` and `momentum`.
    public init(_ channels: Int) { self.channels = channels }
}

/// A fully connected layer with a bias.
public struct Linear: Hashable, Sendable {
    /// Numbers of the input.
    public var inFeatures: Int
    /// Numbers of the output.
    public var outFeatures: Int

    /// Both ends.
    public init(_ inFeatures: Int, _ outFeatures: Int) {
        self.inFeatures = inFeatures
        self.outFeatures = outFeatures
    }
}

extension Layer {
    /// The shape the layer makes of `input`.
    /// - Throws: `LayerError` if the layer cannot take `input`.
    func output(for input: Shape) throws(LayerError) -> Shape {
        switch (self, input) {
        case (.convolution(let layer), .map(let channels, let height, let width)):
            guard layer.kernel > 0, layer.stride > 0, layer.padding >= 0, layer.outChannels > 0 else {
                throw .invalid("kernel, stride and channels must be positive and padding not negative")
            }
            guard channels == layer.inChannels else {
                throw .invalid("expects \(layer.inChannels) input channels and gets \(channels)")
            }
            // There has to be something to mirror.
            if layer.borders == .reflect {
                for extent in [height, width] { _ = try slid(extent, window: layer.padding + 1, stride: 1) }
            }
            return .map(
                channels: layer.outChannels,
                height: try slid(height + 2 * layer.padding, window: layer.kernel, stride: layer.stride),
                width: try slid(width + 2 * layer.padding, window: layer.kernel, stride: layer.stride))
        case (.maxPool(let pool), .map(let channels, let height, let width)),
            (.averagePool(let pool), .map(let channels, let height, let width)):
            // A position in a window is remembered in 16 bits.
            guard (1...256).contains(pool.window), pool.stride > 0 else {
                throw .invalid("the window must be between 1 and 256, and the stride positive")
            }
            return .map(
                channels: channels,
                height: try slid(height, window: pool.window, stride: pool.stride),
                width: try slid(width, window: pool.window, stride: pool.stride))
        case (.adaptiveAveragePool(let height, let width), .map(let channels, _, _)):
            guard height > 0, width > 0 else { throw .invalid("the output size must be positive") }
            return .map(channels: channels, height: height, width: width)
        case (.batchNorm(let layer), .map(let channels, _, _)):
            guard channels == layer.channels else {
                throw .invalid("expects \(layer.channels) channels and gets \(channels)")
            }
            return input
        case (.linear(let layer), .vector(let features)):
            guard features == layer.inFeatures else {
                throw .invalid("expects \(layer.inFeatures) input features and gets \(features)")
            }
            guard layer.outFeatures > 0 else { throw .invalid("must have at least one output") }
            return .vector(layer.outFeatures)
        case (.flatten, _): return .vector(input.count)
        case (.relu, _): return input
        case (.dropout(let probability), _):
            guard probability >= 0, probability < 1 else {
                throw .invalid("the dropout probability must be at least 0 and less than 1")
            }
            return input
        case (.convolution, .vector), (.batchNorm, .vector), (.maxPool, .vector), (.averagePool, .vector),
            (.adaptiveAveragePool, .vector), (.linear, .map):
            throw .invalid("cannot take an input of shape \(input)")
        }
    }

    private func slid(_ extent: Int, window: Int, stride: Int) throws(LayerError) -> Int {
        guard extent >= window else { throw .shrunkToNothing(extent: extent, window: window) }
        return (extent - window) / stride + 1
    }

    /// Multiply-accumulates per example: one per weight and position; other layers count as none.
    func multiplyAccumulates(output: Shape) -> Int {
        switch self {
        case .convolution(let layer): output.count * layer.inChannels * layer.kernel * layer.kernel
        case .linear(let layer): layer.inFeatures * layer.outFeatures
        default: 0
        }
    }
}

extension Layer {
    /// What the layer is to everybody else. How it runs is a step's business.
    package var description: LayerDescription {
        switch self {
        case .convolution(let layer):
            LayerDescription(
                className: "Conv2d", literatureName: "conv",
                figureText: "\(layer.kernel)×\(layer.kernel) conv (\(layer.outChannels))"
                    + (layer.padding > 0 ? ", pad \(layer.padding)" : "")
                    + (layer.stride > 1 ? ", stride \(layer.stride)" : ""),
                work: .convolution,
                tensors: [
                    ("weight", [layer.outChannels, layer.inChannels, layer.kernel, layer.kernel], true),
                    ("bias", [layer.outChannels], true),
                ],
                onnx: .init(
                    name: "Conv",
                    attributes: [
                        "kernel_shape": .integers([layer.kernel, layer.kernel]),
                        "pads": .integers([Int](repeating: layer.padding, count: 4)),
                        "strides": .integers([layer.stride, layer.stride]),
                    ]))
        case .batchNorm(let layer):
            LayerDescription(
                className: "BatchNorm2d", literatureName: "bn", figureText: "batch norm", work: .elementwise,
                tensors: [
                    ("weight", [layer.channels], true), ("bias", [layer.channels], true),
                    ("running_mean", [layer.channels], false), ("running_var", [layer.channels], false),
                ],
                onnx: .init(name: "BatchNormalization", attributes: ["epsilon": .float(layer.epsilon)]))
        case .relu:
            LayerDescription(
                className: "ReLU", literatureName: "relu", figureText: "ReLU", work: .elementwise,
                onnx: .init(name: "Relu"))
        case .maxPool(let pool):
            LayerDescription(
                className: "MaxPool2d", literatureName: "pool",
                figureText: "\(pool.window)×\(pool.window) max pool, stride \(pool.stride)", work: .pool,
                onnx: .pool("MaxPool", pool))
        case .averagePool(let pool):
            LayerDescription(
                className: "AvgPool2d",
                figureText: "\(pool.window)×\(pool.window) average pool, stride \(pool.stride)", work: .pool,
                onnx: .pool("AveragePool", pool))
        case .adaptiveAveragePool(let height, let width):
            LayerDescription(
                className: "AdaptiveAvgPool2d", figureText: "average pool to \(height)×\(width)", work: .pool)
        case .flatten:
            LayerDescription(
                className: "Flatten", figureText: "flatten", work: .reshape,
                onnx: .init(name: "Flatten", attributes: ["axis": .integer(1)]))
        case .linear(let layer):
            LayerDescription(
                className: "Linear", literatureName: "fc", figureText: "FC (\(layer.outFeatures))",
                work: .linear,
                tensors: [
                    ("weight", [layer.outFeatures, layer.inFeatures], true),
                    ("bias", [layer.outFeatures], true),
                ],
                onnx: .init(name: "Gemm", attributes: ["transB": .integer(1)]))
        case .dropout(let probability):
            LayerDescription(
                className: "Dropout", figureText: "dropout \(probability)", work: .elementwise)
        }
    }

    /// The class name PyTorch prints for the layer.
    public var className: String { description.className }
}

enum LayerError: Error {
    case invalid(String)
    case shrunkToNothing(extent: Int, window: Int)
}
