import VGGFiles

/// A file that is not, or cannot become, a well-formed safetensors file.
public struct SafetensorsError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, with the numbers that show it.
    public enum Problem: Error, Hashable {
        /// The file is shorter than its own header says, or than any safetensors file.
        case truncated(bytes: Int, needed: UInt64)
        /// The header is larger than the format allows.
        case headerTooLarge(bytes: UInt64)
        /// The header is not what the format asks for, at this byte of the header.
        case malformedHeader(reason: String, offset: Int)
        /// The header has this key twice.
        case duplicateKey(String)
        /// The tensor's shape, type and place in the file do not fit together.
        case inconsistentTensor(name: String, reason: String)
        /// After the last tensor there are bytes that belong to none.
        case trailingBytes(Int)
        /// The tensor's numbers are of a type that is not read as `Float`.
        case unsupportedType(name: String, type: String)
        /// The tensor has a number that is too large for the type that it is to be written as.
        case overflow(name: String, type: String)
        /// The name cannot be given to a tensor.
        case reservedName(String)
        /// The content does not have the checksum that was written with it.
        case damaged(checksum: String, expected: String)
    }

    /// The file.
    public var path: String
    /// What is wrong with it.
    public var problem: Problem

    /// A problem of this file.
    public init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    public var description: String { "\(path): \(reason); \(advice)" }

    /// What is wrong, in words that follow the path.
    package var reason: String {
        switch problem {
        case .truncated(let bytes, let needed):
            "has \(bytes) bytes where at least \(needed) are needed for a safetensors file"
        case .headerTooLarge(let bytes):
            "the header would have \(bytes) bytes, the limit is \(SafetensorsHeader.maximumLength)"
        case .malformedHeader(let reason, let offset): "header byte \(offset): \(reason)"
        case .duplicateKey(let key): "the header has \(key.quotedName) twice"
        case .inconsistentTensor(let name, let reason): "tensor \(name.quotedName): \(reason)"
        case .trailingBytes(let count): "\(count) bytes at the end belong to no tensor"
        case .unsupportedType(let name, let type):
            "tensor \(name.quotedName) has type \(type.quotedName)"
        case .overflow(let name, let type):
            "tensor \(name.quotedName) has a number that is too large for \(type)"
        case .reservedName(let name): "a tensor cannot be called \(name.quotedName)"
        case .damaged(let checksum, let expected):
            "is damaged: the checksum of its content is \(checksum), and was \(expected) when it was written"
        }
    }

    private var advice: String {
        switch problem {
        case .headerTooLarge, .malformedHeader: "is this a safetensors file?"
        case .unsupportedType(_, let type):
            ElementType(rawValue: type)?.isInteger == true
                ? "of quantized weights take those from before" : "save it as F32, F16, BF16 or F64"
        case .overflow: "BF16 and F32 have larger ones"
        case .reservedName: "give it another name"
        case .damaged:
            "fetch it again; a program that changed it on purpose has to leave \(ContentChecksum.metadataKey) out of the "
                + "metadata"
        case .truncated, .duplicateKey, .inconsistentTensor, .trailingBytes: "fetch or save the file again"
        }
    }
}
