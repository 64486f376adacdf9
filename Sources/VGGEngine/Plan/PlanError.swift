import VGGModel

/// Why a network cannot be planned.
public enum PlanError: Error, Hashable, CustomStringConvertible {
    /// The batch is empty, or larger than `Plan.largestBatch`.
    case batchSize(Int)
    /// The device does not compute in this number format.
    case precision(Precision, device: String)
    /// The device lacks a step for the layers of this kind, by torchvision's name.
    case layer(_ kind: String, name: String, device: String)
    /// So many bytes could not be reserved.
    case outOfMemory(bytes: Int)
    /// More bytes than are free; `largestBatch` would fit, if there is one.
    case tooLarge(batchSize: Int, bytes: Int, free: Int, largestBatch: Int?)
    /// The network does not end in a linear layer.
    case noClassifier(output: Shape)
    /// All that has weights is frozen.
    case nothingToTrain
    /// The device cannot run anything.
    case device(DeviceError)
    /// Gradients of inputs are wanted of a network that has a batch norm.
    case batchNormInGradient
    /// Gradients of inputs are wanted in mixed precision of a network that has a linear layer.
    case linearInMixedGradient
    /// Reflected borders are wanted where there are none.
    case reflectedBorders

    public var description: String {
        switch self {
        case .batchSize(let size):
            "the batch size must be between 1 and \(Plan.largestBatch), not \(size)"
        case .precision(let precision, let device):
            "\(device) does not compute in \(precision.rawValue); use another \(Setting.precision) or \(Setting.device)"
        case .layer(let kind, let name, let device):
            "\(device) does not compute \(kind) (\(name)); use another \(Setting.device)"
        case .outOfMemory(let bytes):
            """
            the memory of a plan, \((bytes + 999_999) / 1_000_000) MB, cannot be reserved; use a \
            smaller batch size or smaller images
            """
        case .tooLarge(let batchSize, let bytes, let free, let largestBatch):
            """
            \(batchSize == 1 ? "one image at a time takes" : "batches of \(batchSize) images take") \
            \((bytes + 999_999) / 1_000_000) MB of memory, but \(free / 1_000_000) MB are free; \
            \(largestBatch.map { "use a batch size of at most \($0)" }
                ?? "not even one image at a time fits: use smaller images or a smaller network")
            """
        case .noClassifier(let output):
            "the network must end in a linear layer that makes one number a class; it ends in \(output)"
        case .device(let error): "\(error)"
        case .batchNormInGradient:
            "the gradient of an input needs batch norms folded into the convolutions before them, and one is left"
        case .linearInMixedGradient:
            "the gradient of an input goes through linear layers in fp32 alone; use another \(Setting.precision)"
        case .reflectedBorders:
            "borders are reflected on the processor alone, and in fp32; use another \(Setting.device), or zeros"
        case .nothingToTrain: "all of the network is frozen: nothing is left to train"
        }
    }
}
