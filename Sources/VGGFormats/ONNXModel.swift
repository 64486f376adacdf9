import VGGFiles
import VGGModel

/// A network with its weights as an ONNX model for inference, which ONNX Runtime and most others run.
///
/// One input `input` [batch, channels, height, width] and one output `logits` [batch, classes], or
/// `features` of a network without a classifier; the batch may be of any size. The weights are initialisers under torchvision's names. Dropout, which inference is
/// without, is left out.
///
/// Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; field numbers below are that file's.
public struct ONNXModel: Sendable {
    /// Operators as of this version of ONNX's set, and the version of the format it came with.
    static let operatorSet = 17
    static let formatVersion = 8
    /// What Protocol Buffers allow for a message.
    static let maximumBytes = Int(Int32.max)

    private let message: ProtobufMessage

    /// - Parameters:
    ///   - tensors: the network's, under torchvision's names.
    ///   - metadata: texts that travel with the model.
    ///   - version: of the program that makes the model.
    /// - Throws: `ONNXError` if a tensor is missing or the model would be larger than the format allows.
    public init(
        _ network: Network, tensors: [String: Tensor], metadata: [String: String] = [:], version: String
    ) throws(ONNXError) {
        var model = ProtobufMessage()
        model.add(1, Self.formatVersion)
        model.add(2, "swift-vgg")
        model.add(3, version)
        model.add(7, try ONNXGraph(network, tensors: tensors).message)
        var operatorSet = ProtobufMessage()
        operatorSet.add(2, Self.operatorSet)
        model.add(8, operatorSet)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            var entry = ProtobufMessage()
            entry.add(1, key)
            entry.add(2, value)
            model.add(14, entry)
        }
        guard model.count <= Self.maximumBytes else { throw .tooLarge(bytes: model.count) }
        message = model
    }

    /// Replaces the file at `path` when all is written.
    /// - Throws: `FileError` if the file cannot be written; the old file then stays.
    public func write(to path: String) throws {
        try AtomicFile.replace(path) { file in try message.write(to: file) }
    }
}

/// Why a network cannot become an ONNX model.
public enum ONNXError: Error, Hashable, CustomStringConvertible {
    /// A tensor of the network is not there.
    case missing(tensor: String)
    /// A tensor has another shape than the network's.
    case shape(tensor: String, expected: [Int], found: [Int])
    /// Protocol Buffers hold less than 2 GB.
    case tooLarge(bytes: Int)

    public var description: String {
        switch self {
        case .missing(let tensor): "tensor \(tensor) is missing"
        case .shape(let tensor, let expected, let found):
            "tensor \(tensor) has the shape \(found) where the network has \(expected)"
        case .tooLarge(let bytes):
            "an ONNX file may have \(ONNXModel.maximumBytes) bytes, this one would have \(bytes); "
                + "convert to .safetensors"
        }
    }
}
