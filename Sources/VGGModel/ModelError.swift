/// Why a network cannot be built.
public enum ModelError: Error, Hashable, CustomStringConvertible {
    /// A window is larger than what the blocks before have left of the map.
    case inputTooSmall(input: Shape, block: Int, layer: String, extent: Int, window: Int)
    /// A layer does not fit what comes before it, or its own numbers make no sense.
    case invalidLayer(name: String, layer: String, reason: String)
    /// The name is not in `Architecture.allNames`.
    case unknownArchitecture(String)
    /// The text is not rows as `ConvArch` reads them.
    case invalidConvArch(String, reason: String)
    /// A setting has a value that makes no sense, or none beside the others.
    case invalidSetting(Setting, reason: String)
    /// The network has no layer of this name, but these.
    case unknownLayer(String, known: [String])
    /// Its output is a vector.
    case noMaps(String)
    /// Nothing is left of a picture before the layer; with both sides at least `least` there would be.
    case pictureTooSmall(height: Int, width: Int, layer: String, least: Int)

    public var description: String {
        switch self {
        case .inputTooSmall(let input, let block, let layer, let extent, let window):
            """
            an input of \(input) is too small: block \(block) shrinks it to 0 (its \(layer) needs \
            \(window)×\(window) and only \(extent)×\(extent) is left); use a larger \(Setting.size) or fewer blocks
            """
        case .invalidLayer(let name, let layer, let reason): "layer \(name) (\(layer)): \(reason)"
        case .unknownArchitecture(let name):
            """
            there is no architecture '\(name)'; choose one of \
            \(Architecture.allNames.joined(separator: ", ")), or give \(Setting.convArch)
            """
        case .invalidConvArch(let text, let reason):
            "'\(text)' is not a convolution architecture such as 1x64,1x128,2x256 or 32+64,128: \(reason)"
        case .invalidSetting(let setting, let reason): "\(setting) \(reason)"
        case .unknownLayer(let name, let known):
            """
            there is no layer '\(name)'; the layers are \(known.joined(separator: ", ")), or torchvision's names \
            such as features.0
            """
        case .noMaps(let name):
            "layer \(name) makes a vector, not maps; choose a convolution, its ReLU or a pool"
        case .pictureTooSmall(let height, let width, let layer, let least):
            """
            a picture of \(width)×\(height) pixels is too small for \(layer): both sides must have at least \(least); use a larger \
            \(Setting.size), or layers before it
            """
        }
    }
}
