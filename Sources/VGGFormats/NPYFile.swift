import Foundation
import VGGFiles
import VGGModel

/// NumPy's format for one array: `numpy.load` reads it (NEP 1, version 1.0).
public enum NPYFile {
    /// Writes the tensor as an array of 32-bit little-endian floats in row-major order.
    /// - Throws: `FileError` if the file cannot be written; what was there before is then still there.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let shape =
            tensor.shape.map(String.init).joined(separator: ", ") + (tensor.shape.count == 1 ? "," : "")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }"
        // The data starts at a multiple of 64 bytes; a line break ends the header.
        let start = 10 + header.utf8.count + 1
        header += String(repeating: " ", count: (64 - start % 64) % 64) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        bytes += [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
        try AtomicFile.replace(path) { file in
            try bytes.withUnsafeBytes { try file.write($0) }
            try tensor.values.withUnsafeBytes { try file.write($0) }
        }
    }
}
