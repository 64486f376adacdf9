import VGGFiles
import VGGModel

/// Named tensors in a safetensors file, which every Python library reads and writes.
///
/// Format: https://github.com/huggingface/safetensors (README, "Format").
public struct Safetensors: Hashable, Sendable {
    /// In the order of their numbers in the file.
    public var tensors: NamedTensors
    /// The texts under `__metadata__`.
    public var metadata: [String: String]

    /// A file that is to be written.
    public init(tensors: NamedTensors = [:], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Maps the file at `path`. F32 stays where it is until it is changed; F16, BF16, F64 and integers are converted to
    /// `Float`, but no integers of a layer's weight, which are quantized ones. The file must not be changed in place meanwhile;
    /// replacing it is all right.
    /// - Throws: `FileError` if the file cannot be read; `SafetensorsError` if it is malformed, holds another type of
    ///   number, or has a checksum and another content.
    public init(contentsOf path: String) throws {
        let file = try MappedFile(path)
        self = try file.withBytes { try Self($0, of: file, path: path) }
    }

    /// - Parameters:
    ///   - file: the whole file.
    ///   - owner: what keeps it, if anything does.
    ///   - path: the name of the file, for errors.
    init(_ file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?, path: String)
        throws(SafetensorsError)
    {
        let header = try SafetensorsHeader(file, path: path)
        tensors = [:]
        metadata = header.metadata
        if let expected = metadata.removeValue(forKey: ContentChecksum.metadataKey) {
            var checksum = ContentChecksum(metadata: metadata)
            for entry in header.tensors.sorted(by: { $0.name < $1.name }) {
                let bytes = UnsafeRawBufferPointer(rebasing: file[entry.bytes])
                checksum.add(entry.name, entry.type, entry.shape, bytes)
            }
            guard checksum.digits == expected else {
                throw SafetensorsError(path, .damaged(checksum: checksum.digits, expected: expected))
            }
        }
        for entry in header.tensors {
            let bytes = UnsafeRawBufferPointer(rebasing: file[entry.bytes])
            guard !entry.type.isQuantized(entry.name, entry.shape),
                let values = entry.type.floats(bytes, in: owner)
            else {
                throw SafetensorsError(path, .unsupportedType(name: entry.name, type: entry.type.rawValue))
            }
            tensors[entry.name] = Tensor(shape: entry.shape, values: values)
        }
    }

    /// Writes all tensors, and replaces the file at `path` only when all is written.
    /// - Parameters:
    ///   - type: of the numbers, F32, F16 or BF16. Those of tensors with fewer than two dimensions, which are few, and as
    ///     batch norm's variances of any size, stay F32. Tensors come by width and then by name, so that all are aligned.
    ///   - checksummed: whether the metadata get a checksum of everything under `vgg.crc32`, which reading the
    ///     file compares. It costs a second a gigabyte.
    /// - Throws: `FileError` if the file cannot be written; `SafetensorsError` for a tensor with the name of
    ///   the metadata, a number that is too large for the type, or names and metadata that are too long together. The old
    ///   file then stays.
    public func write(to path: String, as type: ElementType = .float32, checksummed: Bool = false) throws {
        precondition(ElementType.written.contains(type), "weights are not written as \(type)")
        guard tensors[SafetensorsHeaderText.metadataKey] == nil else {
            throw SafetensorsError(path, .reservedName(SafetensorsHeaderText.metadataKey))
        }
        let named = tensors.sorted { $0.name < $1.name }.map { name, tensor in
            WrittenTensor(name: name, tensor: tensor, type: tensor.shape.count < 2 ? .float32 : type)
        }
        if let large = named.first(where: \.overflows) {
            throw SafetensorsError(path, .overflow(name: large.name, type: large.type.rawValue))
        }
        var metadata = metadata
        if checksummed { metadata[ContentChecksum.metadataKey] = checksum(of: named).digits }
        let ordered = named.filter { $0.type.size == 4 } + named.filter { $0.type.size < 4 }
        let header = headerText(of: ordered, metadata)
        guard header.utf8.count <= SafetensorsHeader.maximumLength else {
            throw SafetensorsError(path, .headerTooLarge(bytes: UInt64(header.utf8.count)))
        }
        try AtomicFile.replace(path) { file in
            try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { try file.write($0) }
            try Array(header.utf8).withUnsafeBytes { try file.write($0) }
            for entry in ordered { try entry.type.withBytes(of: entry.tensor.values) { try file.write($0) } }
        }
    }

    private struct WrittenTensor {
        let name: String
        let tensor: Tensor
        let type: ElementType

        var overflows: Bool {
            type != .float32 && tensor.values.withUnsafeBufferPointer { $0.contains(where: type.overflows) }
        }
    }

    /// - Parameter tensors: by name.
    private func checksum(of tensors: [WrittenTensor]) -> ContentChecksum {
        var checksum = ContentChecksum(metadata: metadata)
        for entry in tensors {
            entry.type.withBytes(of: entry.tensor.values) {
                checksum.add(entry.name, entry.type, entry.tensor.shape, $0)
            }
        }
        return checksum
    }

    /// The header of a file with `tensors` in this order, padded so that the values start at a multiple of 8.
    private func headerText(of tensors: [WrittenTensor], _ metadata: [String: String]) -> String {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(json($0.key)):\(json($0.value))" }
            members.append("\"\(SafetensorsHeaderText.metadataKey)\":{\(pairs.joined(separator: ","))}")
        }
        var begin = 0
        for entry in tensors {
            let end = begin + entry.tensor.values.count * entry.type.size
            let shape = entry.tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(json(entry.name)):{\"dtype\":\"\(entry.type)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}"
            )
            begin = end
        }
        let text = "{\(members.joined(separator: ","))}"
        return text + String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    }

    private func json(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
