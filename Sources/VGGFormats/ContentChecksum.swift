import CZlib
import VGGModel

/// One number of all that a safetensors file says and holds, by which damage is found: a CRC-32, kept as eight
/// hexadecimal digits in the metadata under `vgg.crc32`.
///
/// It is that of the content and not of the bytes: the metadata in the order of their keys, then the tensors in the
/// order of their names, each as `name`, `type` and `shape` and its numbers as they lie in the file. A program that
/// writes the same content in another order leaves it true.
///
/// Source of CRC-32: RFC 1952, section 8; zlib computes it.
struct ContentChecksum {
    static let metadataKey = "vgg.crc32"

    private var crc = crc32_z(0, nil, 0)

    /// - Parameter metadata: without the checksum itself.
    init(metadata: [String: String]) {
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != Self.metadataKey {
            add(key)
            add(value)
        }
    }

    /// Adds the next tensor by name.
    mutating func add(_ name: String, _ type: ElementType, _ shape: [Int], _ values: UnsafeRawBufferPointer) {
        add(name)
        add(type.rawValue)
        add(shape.map(String.init).joined(separator: ","))
        add(values)
    }

    /// A text and its end, so that two texts are not one.
    private mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
        withUnsafeBytes(of: UInt8(0)) { add($0) }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        crc = crc32_z(crc, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
    }

    var digits: String {
        let text = String(crc, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }
}
