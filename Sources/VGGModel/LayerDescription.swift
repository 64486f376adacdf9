/// What those need to know of a layer who print, draw, store or convert networks: the one place where a new layer says it.
/// (What it makes of a shape is `Layer.output`; how it runs, a step's business.)
package struct LayerDescription {
    /// What is drawn alike.
    package enum Work {
        case convolution
        case pool
        case linear
        /// Of each number by itself: drawn as a part of the layer before it.
        case elementwise
        case reshape
    }

    /// One operator of ONNX that does the layer's work in inference, in the names of its specification
    /// (https://onnx.ai/onnx/operators/); the inputs after the first are the layer's tensors.
    package struct ONNXOperator {
        package enum Attribute: Hashable, Sendable {
            case integer(Int)
            case integers([Int])
            case float(Float)
        }

        package var name: String
        package var attributes: KeyValuePairs<String, Attribute> = [:]
    }

    /// The class name that PyTorch prints.
    package var className: String
    /// What the VGG literature calls such a layer, without its number; nil where it has no name for it.
    package var literatureName: String?
    /// What the chapter's figure writes into its box.
    package var figureText: String
    package var work: Work
    /// The stored tensors in PyTorch's names and shapes.
    package var tensors: [(name: String, shape: [Int], isTrained: Bool)] = []
    /// nil where inference is without, or where it takes more than one.
    package var onnx: ONNXOperator?
}

extension Layer {
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

extension LayerDescription.ONNXOperator {
    fileprivate static func pool(_ name: String, _ pool: Pool) -> Self {
        .init(
            name: name,
            attributes: [
                "kernel_shape": .integers([pool.window, pool.window]),
                "strides": .integers([pool.stride, pool.stride]),
            ])
    }
}
