import VGGEngine
import VGGFiles
import VGGFormats
import VGGModel

extension TrainedModel {
    /// Writes the weights with `naming`'s names, and what they belong to in the metadata.
    /// - Parameters:
    ///   - belonging: what they belong to, whose network must be `network`.
    ///   - type: of the numbers, as `Safetensors.write(to:as:)` has it.
    ///   - texts: for the metadata, beside what came with the weights.
    ///   - output: the safetensors file, which is replaced when all is written.
    /// - Throws: `FileError` that names the tensor that does not fit, or the file that cannot be written.
    public func writeSafetensors(
        _ network: Network, _ belonging: StoredModel, naming: WeightNaming,
        as type: ElementType = .float32, adding texts: [String: String] = [:], to output: String
    ) throws {
        let tensors = try fitted(to: network)
        guard let entries = naming.entries(of: network) else {
            throw FileError(
                output, "\(naming.rawValue) has no names for such a classifier; leave out \(Setting.naming)")
        }
        var file = Safetensors(metadata: try metadata(belonging).merging(texts) { _, new in new })
        for entry in entries {
            guard let tensor = tensors[entry.parameter.name] else { continue }
            file.tensors[entry.name] = Tensor(shape: entry.shape, values: tensor.values)
        }
        // What Python's transformers and others ask for.
        file.metadata["format"] = "pt"
        try file.write(to: output, as: type)
    }

    /// Writes the network with its weights as an ONNX model, and what they belong to in its metadata.
    /// - Throws: as `writeSafetensors`; `ONNXError` if the file would be too large.
    public func writeONNX(_ network: Network, _ belonging: StoredModel, to output: String) throws {
        let model = try ONNXModel(
            network, tensors: try fitted(to: network), metadata: try metadata(belonging), version: vggVersion)
        try model.write(to: output)
    }

    /// The network's tensors under torchvision's names.
    private func fitted(to network: Network) throws(FileError) -> [String: Tensor] {
        let tensors = try tensors(for: network)
        do {
            try WeightsError.check(tensors, are: network.parameters)
        } catch {
            throw FileError(path, "\(error)")
        }
        return tensors
    }

    /// The texts that the weights came with, but for how far a training was, and what they belong to.
    private func metadata(_ belonging: StoredModel) throws -> [String: String] {
        var texts = metadata.merging(try belonging.metadata) { _, new in new }
        texts[CheckpointNames.state] = nil
        texts["format"] = nil
        return texts
    }
}
