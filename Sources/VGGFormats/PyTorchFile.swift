import VGGFiles
import VGGModel

/// The named tensors of a file that PyTorch's `torch.save` wrote (`.pth`, `.pt`), in its ZIP container
/// (since 1.6) or the legacy one (before, and with `_use_new_zipfile_serialization=False`).
///
/// The pickle in it is read by `PickleMachine`, which runs nothing, and the state dictionary is found by
/// `StateDictionaryChoice`, whatever is around it and beside it.
///
/// Source: torch/serialization.py.
struct PyTorchFile {
    typealias Problem = PyTorchFileError.Problem

    let tensors: NamedTensors
    /// The keys under which they were, joined with dots; empty if the file holds nothing else.
    let key: String
    /// The same of other state dictionaries with as many convolutions.
    let otherKeys: [String]

    /// - Parameters:
    ///   - file: the whole file.
    ///   - owner: what keeps it, if anything does.
    ///   - key: where in the file the weights are; nil if they are to be found.
    ///   - path: the name of the file, for errors.
    init(_ file: UnsafeRawBufferPointer, of owner: (any AnyObject & Sendable)?, key: String?, path: String)
        throws(PyTorchFileError)
    {
        do {
            let content =
                file.starts(with: Self.zipSignature)
                ? try Self.readZIP(file, path: path) : try Self.readLegacy(file)
            let choice = try StateDictionaryChoice(content.value, content.memory, under: key)
            tensors = try choice.dictionary.tensors(
                content.memory, file, of: owner, storages: content.storages)
            (self.key, otherKeys) = (choice.key, choice.others)
        } catch {
            throw PyTorchFileError(path, error)
        }
    }

    /// What a file holds: the object that was saved, and where each storage's numbers are in the file.
    private typealias Content = (value: PickleValue, memory: PickleMemory, storages: [String: Range<Int>])

    /// Whether a file with these bytes is one of PyTorch's, in either container.
    static func recognizes(_ file: UnsafeRawBufferPointer) -> Bool {
        if file.starts(with: zipSignature) || file.starts(with: textMagic) { return true }
        // A pickle. The header of a safetensors file may be 0x…80 bytes long.
        return file.count >= 2 && file[0] == 0x80 && (2...5).contains(file[1])
            && !SafetensorsHeader.recognizes(file)
    }

    private static let zipSignature = Array("PK\u{3}\u{4}".utf8)
    /// The magic number of the legacy container as protocol 1 writes it.
    private static let textMagic = Array("L119547037146038801333356L\n.".utf8)

    private static func readZIP(_ file: UnsafeRawBufferPointer, path: String) throws(Problem) -> Content {
        let archive = try ZIPArchive(file)
        if let other = OtherFormat.ofZIP(archive.entries.keys) {
            throw .unsupported(other.reason(path: path))
        }
        // The folder that everything is in has the name of the file when it was written.
        let pickles = archive.entries.keys.filter {
            $0.hasSuffix("/data.pkl") && $0.firstIndex(of: "/") == $0.lastIndex(of: "/")
        }
        guard let name = pickles.first, pickles.count == 1, let pickle = try archive.content(name) else {
            throw .unsupported(
                "is a ZIP file, but not one of torch.save: it has \(pickles.count) data.pkl where one belongs; if a "
                    + "weight file is in it, unpack it"
            )
        }
        let root = name.dropLast("data.pkl".count)
        if let order = try archive.content("\(root)byteorder"), !file[order].elementsEqual("little".utf8) {
            throw .unsupported("was written on a big-endian machine; load and save it on another one")
        }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: file[pickle]), part: "the pickle")
        let (value, memory) = try PickleMachine.read(&reader)
        var bytes: [String: Range<Int>] = [:]
        for storage in memory.storages {
            let content: Range<Int>
            if let known = bytes[storage.key] {
                content = known
            } else {
                let name = "\(root)data/\(storage.key)"
                guard let entry = try archive.content(name) else {
                    throw reader.malformed("the storage \(name.quotedName) is not in the file")
                }
                content = entry
            }
            guard storage.type.size == nil || storage.type.bytes(storage.count) == content.count else {
                throw reader.malformed(
                    "the storage \("\(root)data/\(storage.key)".quotedName) should have \(storage.count) numbers of a "
                        + "\(storage.type.name) and has \(content.count) bytes")
            }
            bytes[storage.key] = content
        }
        return (value, memory, bytes)
    }

    /// Five pickles in a row (magic number, version, system, object, keys of the storages), then for each key
    /// how many numbers follow, and the numbers.
    private static func readLegacy(_ file: UnsafeRawBufferPointer) throws(Problem) -> Content {
        var reader = ByteReader(file, part: "the PyTorch file")
        guard try readMagic(&reader), case .integer(1001) = try PickleMachine.read(&reader).value else {
            throw .unsupported("is a pickle, but not one of torch.save; save it with torch.save")
        }
        let (system, systemMemory) = try PickleMachine.read(&reader)
        if case .boolean(false)? = systemMemory.member("little_endian", of: system) {
            throw .unsupported("was written on a big-endian machine; load and save it on another one")
        }
        let (value, memory) = try PickleMachine.read(&reader)
        let (keys, keyMemory) = try PickleMachine.read(&reader)
        let storages = try legacyStorages(
            (keyMemory.elements(keys) ?? []).map { keyMemory.text($0) }, memory, &reader)
        return (value, memory, storages)
    }

    private static func readMagic(_ reader: inout ByteReader) throws(Problem) -> Bool {
        if reader.bytes.starts(with: textMagic) {
            _ = try reader.take(textMagic.count)
            return true
        }
        let (magic, memory) = try PickleMachine.read(&reader)
        return memory.longInteger(magic) == [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    }

    /// Where the numbers of each storage are.
    private static func legacyStorages(
        _ keys: [String?], _ memory: PickleMemory, _ reader: inout ByteReader
    ) throws(Problem) -> [String: Range<Int>] {
        var described: [String: PickledStorage] = [:]
        for storage in memory.storages {
            let first = described[storage.key] ?? storage
            guard first.type == storage.type, first.count == storage.count else {
                throw reader.malformed("the storage \(storage.key.quotedName) is described in two ways")
            }
            described[storage.key] = storage
        }
        var bytes: [String: Range<Int>] = [:]
        for key in keys {
            guard let key, let storage = described[key] else {
                throw reader.malformed("a storage that no tensor is of")
            }
            guard bytes[key] == nil else { throw .duplicateKey(key) }
            let count = try reader.length()
            guard count == storage.count, let length = storage.type.bytes(count) else {
                throw reader.malformed(
                    "the storage \(key.quotedName) has \(count) numbers where \(storage.count) are described")
            }
            let start = reader.position
            _ = try reader.take(length)
            bytes[key] = start..<start + length
        }
        if let missing = described.keys.filter({ bytes[$0] == nil }).min() {
            throw reader.malformed("the storage \(missing.quotedName) is not in the file")
        }
        guard reader.position == reader.bytes.count else {
            throw reader.malformed("\(reader.bytes.count - reader.position) bytes belong to no storage")
        }
        return bytes
    }
}
