import Foundation

/// A stored entry of a ZIP file, each of whose fields may be a lie.
struct ZIPEntry {
    var name: String
    var content: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    /// The size in the directory; nil for the true one.
    var size: UInt32?
    /// Where the directory says the entry is; nil for the true place.
    var offset: UInt32?
    /// The extra fields of the directory.
    var extra: [UInt8] = []
    /// The name before the content; nil for the same.
    var localName: String?
}

/// Bytes of numbers, little-endian.
func bytes<Value: FixedWidthInteger>(_ values: Value...) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
}

/// A ZIP file without ZIP64's records.
func zipFile(_ entries: [ZIPEntry], count: UInt16? = nil) -> Data {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
        let offset = entry.offset ?? UInt32(file.count)
        let size = entry.size ?? UInt32(entry.content.count)
        let name = Array(entry.name.utf8)
        let localName = Array((entry.localName ?? entry.name).utf8)
        file += bytes(0x0403_4B50 as UInt32) + [UInt8](repeating: 0, count: 22)
        file += bytes(UInt16(localName.count), 0) + localName + entry.content
        directory += bytes(0x0201_4B50 as UInt32, 0) + bytes(entry.flags, entry.method)
        directory += [UInt8](repeating: 0, count: 8) + bytes(size, size)
        directory += bytes(UInt16(name.count), UInt16(entry.extra.count), 0)
        directory += [UInt8](repeating: 0, count: 8) + bytes(offset) + name + entry.extra
    }
    let start = UInt32(file.count)
    let entryCount = count ?? UInt16(entries.count)
    file += directory + bytes(0x0605_4B50 as UInt32, 0) + bytes(entryCount, entryCount)
    file += bytes(UInt32(directory.count), start) + [0, 0]
    return Data(file)
}

/// The end of a ZIP file with ZIP64's records before it.
func zip64End(count: UInt64, length: UInt64, offset: UInt64, record: UInt64) -> [UInt8] {
    bytes(0x0606_4B50 as UInt32) + bytes(44 as UInt64) + [UInt8](repeating: 0, count: 12)
        + bytes(count, count, length, offset) + bytes(0x0706_4B50 as UInt32, 0) + bytes(record)
        + bytes(1 as UInt32, 0x0605_4B50) + [UInt8](repeating: 0xFF, count: 16) + [0, 0]
}

/// The operations of a pickle.
enum Pickle {
    static let mark = Array("(".utf8)
    static let emptyDictionary = Array("}".utf8)

    static func program(_ operations: [UInt8]...) -> [UInt8] {
        [0x80, 2] + operations.flatMap { $0 } + Array(".".utf8)
    }

    static func text(_ text: String) -> [UInt8] {
        Array("X".utf8) + bytes(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    static func integer(_ value: Int) -> [UInt8] {
        [0x8A, 8] + withUnsafeBytes(of: Int64(value).littleEndian, Array.init)
    }

    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    static func tuple(_ values: [UInt8]...) -> [UInt8] { mark + values.flatMap { $0 } + Array("t".utf8) }

    static func integers(_ values: [Int]) -> [UInt8] {
        mark + values.flatMap(integer) + Array("t".utf8)
    }

    /// A tensor of a storage of floats.
    static func tensor(
        count: Int, offset: Int = 0, shape: [Int], strides: [Int], key: String = "0",
        storage: String = "FloatStorage"
    ) -> [UInt8] {
        let identifier = tuple(
            text("storage"), global("torch", storage), text(key), text("cpu"), integer(count))
        let arguments = tuple(
            identifier + Array("Q".utf8), integer(offset), integers(shape), integers(strides))
        return global("torch._utils", "_rebuild_tensor_v2") + arguments + Array("R".utf8)
    }

    /// A dictionary with these members.
    static func dictionary(_ members: (String, [UInt8])...) -> [UInt8] {
        emptyDictionary + mark + members.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
    }
}

/// A file as torch.save writes it, with this pickle and these storages.
func torchFile(_ pickle: [UInt8], storages: [[UInt8]] = []) -> Data {
    zipFile(
        [ZIPEntry(name: "a/data.pkl", content: pickle)]
            + storages.enumerated().map { ZIPEntry(name: "a/data/\($0.offset)", content: $0.element) })
}
