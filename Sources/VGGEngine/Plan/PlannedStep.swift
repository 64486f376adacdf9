import VGGModel

/// A step of a plan: one or more layers that run as one, from one activation to the next.
package struct PlannedStep: Hashable, Sendable {
    package let operation: Operation
    /// The layers of the network that run in this step.
    package let layers: Range<Int>
    package let input: Activation
    package let output: Activation
    package let precision: Precision
    /// The step's tensors, as indices of `network.parameters`.
    package let parameters: Range<Int>
    /// Whether anything before the step is trained, or the gradient of the network's input is wanted.
    package let needsInputGradient: Bool
    /// What the step is for; the frozen ones of a training are for inference.
    package let mode: Mode

    package var trainsParameters: Bool { mode == .training }
}

/// What lies between two steps: a map of pixels, each with its channels. A vector is a map of one pixel, and a
/// flattened map stays one until a linear layer makes a true vector of it.
package struct Activation: Hashable, Sendable {
    package let channels: Int
    package let height: Int
    package let width: Int
    package let element: Element

    init(_ shape: Shape, _ element: Element = .float32) {
        switch shape {
        case .map(let channels, let height, let width):
            (self.channels, self.height, self.width) = (channels, height, width)
        case .vector(let features):
            (channels, height, width) = (features, 1, 1)
        }
        self.element = element
    }

    /// Numbers of one image.
    package var count: Int { channels * height * width }
}

/// The number format of an activation.
package enum Element: Hashable, Sendable {
    case float32
    /// The upper half of a 32-bit float.
    case bfloat16

    /// Bytes of a number.
    package var size: Int {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        }
    }
}

extension PlannedStep {
    /// torchvision's name of the first layer, and of the last where there are more.
    package func name(in network: Network) -> String {
        let names = network.layers[layers].map(\.name)
        return names.count > 1 ? "\(names[0])…\(names[names.count - 1])" : names[0]
    }

    /// The class names of the layers.
    package func kind(in network: Network) -> String {
        network.layers[layers].map(\.layer.className).joined(separator: " + ")
    }
}
