/// What those need to know of a layer who print, draw, store or convert networks.
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

extension LayerDescription.ONNXOperator {
    static func pool(_ name: String, _ pool: Pool) -> Self {
        .init(
            name: name,
            attributes: [
                "kernel_shape": .integers([pool.window, pool.window]),
                "strides": .integers([pool.stride, pool.stride]),
            ])
    }
}
