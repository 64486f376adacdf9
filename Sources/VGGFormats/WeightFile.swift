import VGGFiles
import VGGModel

/// The one door for weights: reads any weight file, whatever it is called, by what it contains.
///
/// Names and shapes are the file's own; `WeightNaming` turns them into torchvision's.
public struct WeightFile: Sendable {
    public enum Format: String, Sendable {
        case safetensors
        /// What PyTorch's `torch.save` writes, in its ZIP container or the legacy one.
        case pytorch
    }

    public let format: Format
    public let tensors: NamedTensors
    /// Texts that travel with the weights; empty for PyTorch's files, which have none.
    public let metadata: [String: String]

    /// Maps the file at `path`. Floating-point numbers of 16, 32 and 64 bits and 64-bit integers become `Float`; those
    /// that are already stay in the file until they are changed, so that a large file costs no time and no
    /// memory. The file must not be changed in place meanwhile; replacing it is all right.
    /// - Throws: `FileError` if the file cannot be read or is of no format known here; `SafetensorsError` or
    ///   `PyTorchFileError` if it is malformed, or holds another type of number.
    public init(contentsOf path: String) throws {
        let file = try MappedFile(path)
        self = try file.withBytes { try Self($0, of: file, path: path) }
    }

    /// - Parameters:
    ///   - file: the whole file.
    ///   - owner: what keeps it unchanged in its place as long as it lives; nil if the numbers must be copied.
    ///   - path: the name of the file, for errors.
    package init(
        _ file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?, path: String
    ) throws {
        if PyTorchFile.recognizes(file) {
            format = .pytorch
            tensors = try PyTorchFile(file, of: owner, path: path).tensors
            metadata = [:]
            return
        }
        // Eight bytes of length, then an object.
        guard file.count > 8, file[8] == UInt8(ascii: "{") else {
            throw FileError(path, "is no weight file: neither safetensors nor PyTorch's (.pth)")
        }
        let contents = try Safetensors(file, of: owner, path: path)
        format = .safetensors
        tensors = contents.tensors
        metadata = contents.metadata
    }
}
