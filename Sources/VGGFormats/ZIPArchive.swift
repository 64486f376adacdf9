import VGGFiles

/// The directory of a ZIP file as `torch.save` writes it: with or without ZIP64's longer fields, without a comment.
///
/// Format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3. Checksums are not computed, nor does PyTorch
/// when it loads: it would take longer than everything else.
struct ZIPArchive {
    typealias Problem = PyTorchFileError.Problem

    /// Where the content of each entry is, in bytes from the start of the file.
    private(set) var entries: [String: Range<Int>] = [:]
    /// The entries whose content is compressed or encrypted, which torch.save does not do.
    private(set) var changed: Set<String> = []

    /// - Parameter file: the whole file.
    init(_ file: UnsafeRawBufferPointer) throws(Problem) {
        let (directory, count) = try Self.directory(of: file)
        var reader = ByteReader(
            UnsafeRawBufferPointer(rebasing: file[..<directory.upperBound]), part: "the ZIP directory",
            at: directory.lowerBound)
        // Contents lie before the directory.
        let contents = UnsafeRawBufferPointer(rebasing: file[..<directory.lowerBound])
        for _ in 0..<count {
            let entry = try Entry(&reader)
            let content = try entry.content(in: contents)
            if entry.isChanged { changed.insert(entry.name) }
            guard entries.updateValue(content, forKey: entry.name) == nil else {
                throw .duplicateKey(entry.name)
            }
        }
        guard reader.position == directory.upperBound else {
            throw reader.malformed("more than the \(count) entries it should have")
        }
        var end = 0
        for (name, content) in entries.sorted(by: { $0.value.lowerBound < $1.value.lowerBound })
        where !content.isEmpty {
            guard content.lowerBound >= end else {
                throw .malformed(
                    part: "the ZIP entry \(name.quotedName)", reason: "overlaps the entry before it",
                    offset: content.lowerBound)
            }
            end = content.upperBound
        }
    }

    /// Where the content of the entry is, if it is one that torch.save could have written; nil if there is none.
    func content(_ name: String) throws(Problem) -> Range<Int>? {
        guard !changed.contains(name) else {
            throw .unsupported(
                "the ZIP entry \(name.quotedName) is compressed or encrypted, which torch.save does not do; "
                    + "load and save the file again with PyTorch")
        }
        return entries[name]
    }

    /// Where the directory is, and how many entries it has.
    private static func directory(
        of file: UnsafeRawBufferPointer
    ) throws(Problem) -> (bytes: Range<Int>, count: Int) {
        // The record at the end of every ZIP file has 22 bytes if there is no comment.
        var end = ByteReader(file, part: "the ZIP file's end record", at: file.count - 22)
        guard file.count >= 22, try end.integer(UInt32.self) == 0x0605_4B50 else {
            throw .truncated(part: "the ZIP file (it has no directory at its end)")
        }
        _ = try end.take(6)
        var count = Int(try end.integer(UInt16.self))
        var length = Int(try end.integer(UInt32.self))
        var offset = Int(try end.integer(UInt32.self))
        // Where the end of the directory is at most.
        var limit = file.count - 22

        var locator = ByteReader(file, part: "the ZIP64 locator", at: file.count - 42)
        if file.count >= 42, try locator.integer(UInt32.self) == 0x0706_4B50 {
            _ = try locator.take(4)
            limit = try locator.length()
            var record = ByteReader(file, part: "the ZIP64 end record", at: limit)
            guard try record.integer(UInt32.self) == 0x0606_4B50 else {
                throw record.malformed("expected the signature of a ZIP64 end record")
            }
            _ = try record.take(28)
            count = try record.length()
            length = try record.length()
            offset = try record.length()
        }
        // The smallest entry takes 46 bytes.
        guard offset <= limit, length <= limit - offset, count <= length / 46 else {
            throw end.malformed("the directory is outside the file, or too small for its entries")
        }
        return (offset..<offset + length, count)
    }
}

/// An entry of a ZIP file's directory.
private struct Entry {
    typealias Problem = PyTorchFileError.Problem

    var name: String
    /// Bytes of content.
    var stored: Int
    /// Whether they are compressed or encrypted.
    var isChanged: Bool
    /// Where the header before the content is, in bytes from the start of the file.
    var header: Int

    init(_ reader: inout ByteReader) throws(Problem) {
        guard try reader.integer(UInt32.self) == 0x0201_4B50 else {
            throw reader.malformed("expected the signature of an entry")
        }
        _ = try reader.take(4)
        let flags = try reader.integer(UInt16.self)
        let method = try reader.integer(UInt16.self)
        _ = try reader.take(8)
        stored = Int(try reader.integer(UInt32.self))
        var length = Int(try reader.integer(UInt32.self))
        let nameLength = Int(try reader.integer(UInt16.self))
        let extraLength = Int(try reader.integer(UInt16.self))
        let commentLength = Int(try reader.integer(UInt16.self))
        _ = try reader.take(8)
        header = Int(try reader.integer(UInt32.self))
        name = try reader.string(nameLength)
        var extra = ByteReader(try reader.take(extraLength), part: "the extra fields of a ZIP entry")
        _ = try reader.take(commentLength)

        while extra.position < extraLength {
            let kind = try extra.integer(UInt16.self)
            var field = ByteReader(
                try extra.take(Int(try extra.integer(UInt16.self))), part: "a ZIP64 field")
            guard kind == 1 else { continue }
            // Only what did not fit its 32 bits is here, in this order.
            if length == 0xFFFF_FFFF { length = try field.length() }
            if stored == 0xFFFF_FFFF { stored = try field.length() }
            if header == 0xFFFF_FFFF { header = try field.length() }
        }
        isChanged = method != 0 || flags & 1 != 0
        guard isChanged || stored == length else {
            throw reader.malformed("the entry \(name.quotedName) has two sizes: \(stored) and \(length)")
        }
    }

    /// Where the content is.
    /// - Parameter file: the file up to its directory.
    func content(in file: UnsafeRawBufferPointer) throws(Problem) -> Range<Int> {
        var reader = ByteReader(file, part: "the ZIP entry \(name.quotedName)", at: header)
        guard try reader.integer(UInt32.self) == 0x0403_4B50 else {
            throw reader.malformed("expected the signature of an entry")
        }
        _ = try reader.take(22)
        let nameLength = Int(try reader.integer(UInt16.self))
        let extraLength = Int(try reader.integer(UInt16.self))
        guard try reader.take(nameLength).elementsEqual(name.utf8) else {
            throw reader.malformed("has another name than in the directory")
        }
        _ = try reader.take(extraLength)
        let start = reader.position
        _ = try reader.take(stored)
        return start..<start + stored
    }
}
