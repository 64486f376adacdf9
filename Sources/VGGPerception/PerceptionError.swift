import VGGModel

/// Why pictures cannot be compared, or made, as asked.
public enum PerceptionError: Error, Hashable, CustomStringConvertible {
    /// In a plan for gradients its batch norm is a part of the convolution.
    case foldedLayer(String, norm: String)
    /// A file of linear weights is not LPIPS's for a VGG.
    case linearWeights(String)
    /// There is no factor for each channel of a layer.
    case linearCount(layer: String, channels: Int, found: Int)
    /// A number became infinite, or none at all.
    case notFinite(step: Int)

    public var description: String {
        switch self {
        case .foldedLayer(let name, let norm):
            "\(name) is one with the batch norm behind it where gradients are made; ask for \(norm), or the ReLU after it"
        case .linearWeights(let reason):
            "\(reason); LPIPS's linear weights for a VGG are lin0.model.1.weight to lin4.model.1.weight, as in the lpips "
                + "package's weights/v0.1/vgg.pth"
        case .linearCount(let layer, let channels, let found):
            "\(layer) has \(channels) channels, but the linear weights are of \(found): they are for another network; "
                + "those of the lpips package's vgg.pth are for VGG-16"
        case .notFinite(step: 0):
            "the loss is not finite before anything was changed: the weights' numbers, or those of the pictures, are too large"
        case .notFinite(let step):
            "the loss is not finite after \(step) step\(step == 1 ? "" : "s"); use a smaller \(Setting.learningRate), or Adam in place of L-BFGS"
        }
    }
}
