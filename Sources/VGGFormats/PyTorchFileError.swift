import VGGFiles
import VGGModel

/// A file of PyTorch's (`.pth`) that is malformed, or holds what weights do not need.
public struct PyTorchFileError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, and where in the file.
    public enum Problem: Error, Hashable {
        /// The file ends, or an enclosing part ends, inside this part of it.
        case truncated(part: String)
        /// This part of the file is not what the format asks for, at this byte of the part.
        case malformed(part: String, reason: String, offset: Int)
        /// A tensor of the state dictionary is made by a Python function that is not known here.
        case foreignTensor(name: String, maker: String)
        /// The file is well-formed, but uses what this reader does not take.
        case unsupported(String)
        /// There are no named tensors in the file.
        case noStateDictionary(String)
        /// There are no weights under the key that was asked for, but under these.
        case noKey(String, known: [String])
        /// The state dictionary has two tensors of this name.
        case duplicateKey(String)
        /// The tensor's shape, strides and storage do not fit together, or cannot be read.
        case tensor(name: String, reason: String)
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

    public var description: String {
        let again = "fetch or save the file again"
        let saving = "save the weights alone: torch.save(model.state_dict(), …)"
        return switch problem {
        case .truncated(let part): "\(path): ends inside \(part); \(again)"
        case .malformed(let part, let reason, let offset):
            "\(path): \(part), byte \(offset): \(reason); \(again)"
        case .foreignTensor(let name, let maker):
            """
            \(path): tensor \(name.quotedName) is made by \(maker.quotedName), which is not read (nothing was run); \
            save it as a plain tensor
            """
        case .unsupported(let reason): "\(path): \(reason)"
        case .noStateDictionary(let reason): "\(path): holds no weights: \(reason); \(saving)"
        case .noKey(let key, let known):
            """
            \(path): has no weights under \(key.quotedName), but under \
            \(known.map(\.quotedName).joined(separator: ", ")); \(Setting.weightsKey) takes one of these
            """
        case .duplicateKey(let key): "\(path): has \(key.quotedName) twice; \(again)"
        case .tensor(let name, let reason): "\(path): tensor \(name.quotedName): \(reason); \(again)"
        }
    }
}
