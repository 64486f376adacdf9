/// What a safetensors file says about its tensors, without their values: reading it touches only the header.
///
/// Format: https://github.com/huggingface/safetensors (README, "Format"). A header that was read is sound:
/// the tensors fill the file without holes and overlaps, and every size fits shape and type.
package struct SafetensorsHeader: Sendable {
    /// The largest header the format allows, in bytes.
    static let maximumLength = 100_000_000

    /// What the header says of one tensor.
    package struct Entry: Hashable, Sendable {
        /// The tensor's, as the file has it.
        package let name: String
        /// The type of the numbers, such as `F32`.
        package let type: ElementType
        /// The outermost dimension first; none for a single number.
        package let shape: [Int]
        /// Where the values are, in bytes from the start of the file.
        package let bytes: Range<Int>
    }

    /// The tensors in the order of their values in the file.
    package let tensors: [Entry]
    /// The texts under `__metadata__`.
    package let metadata: [String: String]

    /// Whether a file with these bytes is one: eight bytes of length, then an object. (A text whose ninth letter is a
    /// brace would have a far greater length.)
    static func recognizes(_ file: UnsafeRawBufferPointer) -> Bool {
        file.count > 8 && file[8] == UInt8(ascii: "{") && file[7] == 0
    }

    /// Reads the header of the file at `path`.
    /// - Throws: `FileError` if the file cannot be read, `SafetensorsError` if it is malformed.
    package init(contentsOf path: String) throws {
        self = try MappedFile(path).withBytes { try Self($0, path: path) }
    }

    /// - Parameters:
    ///   - file: the whole file.
    ///   - path: the name of the file, for errors.
    init(_ file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
        let prefix = MemoryLayout<UInt64>.size
        guard file.count >= prefix else {
            throw SafetensorsError(path, .truncated(bytes: file.count, needed: UInt64(prefix)))
        }
        let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard length <= Self.maximumLength else {
            throw SafetensorsError(path, .headerTooLarge(bytes: length))
        }
        let dataStart = prefix + Int(length)
        guard dataStart <= file.count else {
            throw SafetensorsError(path, .truncated(bytes: file.count, needed: UInt64(dataStart)))
        }
        let text: SafetensorsHeaderText
        do {
            text = try SafetensorsHeaderText(parsing: Array(file[prefix..<dataStart]))
        } catch {
            throw SafetensorsError(path, error)
        }
        metadata = text.metadata
        tensors = try Self.placed(text.tensors, in: dataStart..<file.count, path: path)
    }

    /// Checks that the tensors fill `data` exactly, one after the other.
    private static func placed(
        _ tensors: [SafetensorsHeaderText.Tensor], in data: Range<Int>, path: String
    ) throws(SafetensorsError) -> [Entry] {
        // An empty tensor goes before the one that starts at the same byte.
        let ordered = tensors.sorted { ($0.begin, $0.end) < ($1.begin, $1.end) }
        var entries: [Entry] = []
        entries.reserveCapacity(ordered.count)
        var end = 0
        for tensor in ordered {
            func inconsistent(_ reason: String) -> SafetensorsError {
                SafetensorsError(path, .inconsistentTensor(name: tensor.name, reason: reason))
            }
            guard let type = ElementType(rawValue: tensor.type) else {
                throw SafetensorsError(path, .unsupportedType(name: tensor.name, type: tensor.type))
            }
            guard tensor.begin >= end else { throw inconsistent("overlaps the tensor before it") }
            guard tensor.begin == end else {
                throw inconsistent("leaves \(tensor.begin - end) bytes unused before it")
            }
            guard tensor.begin <= tensor.end else { throw inconsistent("ends before it begins") }
            guard tensor.end <= data.count else {
                throw inconsistent("ends at byte \(tensor.end) of \(data.count) bytes of data")
            }
            var size = type.size
            for dimension in tensor.shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
                guard !overflow else { throw inconsistent("its shape \(tensor.shape) is too large") }
                size = product
            }
            guard size == tensor.end - tensor.begin else {
                throw inconsistent(
                    "shape \(tensor.shape) of \(type) needs \(size) bytes, not \(tensor.end - tensor.begin)")
            }
            end = tensor.end
            entries.append(
                Entry(
                    name: tensor.name, type: type, shape: tensor.shape,
                    bytes: data.lowerBound + tensor.begin..<data.lowerBound + tensor.end))
        }
        guard end == data.count else { throw SafetensorsError(path, .trailingBytes(data.count - end)) }
        return entries
    }
}
