import Foundation
import VGGFiles
import VGGModel

/// The one door for weights: reads any weight file, whatever it is called, by what it contains.
///
/// Names and shapes are the file's own; `WeightNaming` turns them into torchvision's.
public struct WeightFile: Sendable {
    /// What a file is, by its content.
    public enum Format: String, Sendable {
        /// A length, a header of JSON, and the numbers.
        case safetensors
        /// What PyTorch's `torch.save` writes, in its ZIP container or the legacy one.
        case pytorch
    }

    /// What was read.
    public private(set) var format: Format
    /// In the file's order.
    public private(set) var tensors: NamedTensors
    /// Texts that travel with the weights; empty for PyTorch's files, which have none.
    public private(set) var metadata: [String: String]
    /// Where in the file the weights were: keys of PyTorch's dictionaries joined with dots, or what the names of the
    /// tensors began with; empty if the file holds nothing else.
    public private(set) var key: String
    /// The same of other weights in the file that may be meant as well: as many convolutions.
    public private(set) var otherKeys: [String]

    /// Maps the file at `path`, or, if it is the index of a model that was cut into several files (`….index.json`), all of
    /// these. Floating-point numbers of 16, 32 and 64 bits and integers become `Float`; those that are already stay in
    /// the file until they are changed, so that a large file costs no time and no memory. The file must not be changed
    /// in place meanwhile; replacing it is all right.
    /// - Parameter key: where in the file the weights are, as `key` says it; nil for those with the most convolutions.
    /// - Throws: `FileError` if the file cannot be read, is of no format known here or has nothing under `key`;
    ///   `SafetensorsError` or `PyTorchFileError` if it is malformed, or holds another type of number.
    public init(contentsOf path: String, key: String? = nil) throws {
        let file = try MappedFile(path)
        self = try file.withBytes { bytes in
            guard let index = try WeightIndex(bytes, path: path) else {
                return try Self(bytes, of: file, key: key, path: path)
            }
            return try Self(index).part(under: key, path: path)
        }
    }

    /// - Parameters:
    ///   - file: the whole file.
    ///   - owner: what keeps it unchanged in its place as long as it lives; nil if the numbers must be copied.
    ///   - key: as in `init(contentsOf:key:)`.
    ///   - path: the name of the file, for errors.
    package init(
        _ file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?, key: String? = nil,
        path: String
    ) throws {
        let isPyTorchs = PyTorchFile.recognizes(file)
        let whole = try Self(whole: file, of: owner, key: isPyTorchs ? key : nil, path: path)
        self = try whole.part(under: isPyTorchs ? nil : key, path: path)
    }

    /// What a folder is that people may take for weights, in words that follow its path; nil if that is not known.
    public static func objection(toFolder path: String) -> String? {
        let members = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return OtherFormat.ofFolder(members)?.reason(path: path)
    }

    /// All that the file has, but of PyTorch's files only the state dictionary.
    private init(
        whole file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?, key: String? = nil,
        path: String
    ) throws {
        if PyTorchFile.recognizes(file) {
            let content = try PyTorchFile(file, of: owner, key: key, path: path)
            (format, tensors, metadata) = (.pytorch, content.tensors, [:])
            (self.key, otherKeys) = (content.key, content.otherKeys)
        } else if SafetensorsHeader.recognizes(file) {
            let content = try Safetensors(file, of: owner, path: path)
            (format, tensors, metadata) = (.safetensors, content.tensors, content.metadata)
            (self.key, otherKeys) = ("", [])
        } else if let other = OtherFormat.of(file) {
            throw FileError(path, other.reason(path: path))
        } else {
            throw FileError(path, "is no weight file: neither safetensors nor PyTorch's (.pth)")
        }
    }

    /// The parts of a model that was cut into several files.
    private init(_ index: WeightIndex) throws {
        var (format, tensors, metadata) = (Format.safetensors, NamedTensors(), [String: String]())
        for (path, names) in index.parts {
            let file = try MappedFile(path)
            let part = try file.withBytes { try Self(whole: $0, of: file, path: path) }
            (format, metadata) = (part.format, part.metadata)
            if let missing = names.first(where: { part.tensors[$0] == nil }) {
                throw FileError(
                    path, "has no tensor \(missing.quotedName), which \(index.path) says is in it")
            }
            let wanted = Set(names)
            for (name, tensor) in part.tensors where wanted.contains(name) { tensors[name] = tensor }
        }
        (self.format, self.tensors, self.metadata) = (format, tensors, metadata)
        (key, otherKeys) = ("", [])
    }

    /// Those of the tensors whose names begin with `wanted`, or, if that is nil, one of several copies of a network.
    private func part(under wanted: String?, path: String) throws(FileError) -> WeightFile {
        let copies = WeightCopies(tensors)
        guard let prefix = wanted ?? copies?.preferred else { return self }
        let part = tensors.under(prefix)
        guard !part.isEmpty else {
            let known = (copies?.prefixes ?? tensors.names.prefixes).map(\.quotedName).joined(separator: ", ")
            throw FileError(
                path,
                "has no weights under \(prefix.quotedName), but under \(known); \(Setting.weightsKey) takes one of these"
            )
        }
        var result = self
        result.tensors = part
        let start = key.isEmpty ? "" : "\(key)."
        result.key = start + prefix
        if wanted == nil {
            result.otherKeys += copies?.prefixes.filter { $0 != prefix }.map { start + $0 } ?? []
        }
        return result
    }
}
