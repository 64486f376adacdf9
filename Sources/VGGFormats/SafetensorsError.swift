/// A file that is not, or cannot become, a well-formed safetensors file.
public struct SafetensorsError: Error, Hashable, CustomStringConvertible {
    public enum Problem: Error, Hashable {
        /// The file is shorter than its own header says, or than any safetensors file.
        case truncated(bytes: Int, needed: UInt64)
        /// The header is larger than the format allows.
        case headerTooLarge(bytes: UInt64)
        /// The header is not what the format asks for, at this byte of the header.
        case malformedHeader(reason: String, offset: Int)
        case duplicateKey(String)
        /// The tensor's shape, type and place in the file do not fit together.
        case inconsistentTensor(name: String, reason: String)
        /// After the last tensor there are bytes that belong to none.
        case trailingBytes(Int)
        /// The tensor's numbers are of a type that is not read as `Float`.
        case unsupportedType(name: String, type: String)
        /// The name cannot be given to a tensor.
        case reservedName(String)
    }

    public var path: String
    public var problem: Problem

    public init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    public var description: String {
        let again = "fetch or save the file again"
        return switch problem {
        case .truncated(let bytes, let needed):
            "\(path): has \(bytes) bytes where at least \(needed) are needed for a safetensors file; \(again)"
        case .headerTooLarge(let bytes):
            """
            \(path): the header would have \(bytes) bytes, the limit is \(SafetensorsHeader.maximumLength); \
            is this a safetensors file?
            """
        case .malformedHeader(let reason, let offset):
            "\(path): header byte \(offset): \(reason); is this a safetensors file?"
        case .duplicateKey(let key): "\(path): the header has \(key.quotedName) twice; \(again)"
        case .inconsistentTensor(let name, let reason):
            "\(path): tensor \(name.quotedName): \(reason); \(again)"
        case .trailingBytes(let count): "\(path): \(count) bytes at the end belong to no tensor; \(again)"
        case .unsupportedType(let name, let type):
            "\(path): tensor \(name.quotedName) has type \(type.quotedName); save it as F32, F16, BF16 or F64"
        case .reservedName(let name):
            "\(path): a tensor cannot be called \(name.quotedName); give it another name"
        }
    }
}
