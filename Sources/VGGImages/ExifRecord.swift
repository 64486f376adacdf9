/// An EXIF record: a TIFF file (TIFF 6.0, section 2) whose first directory describes the picture.
///
/// Only that directory is read and no pointer to another one is followed, so no record can make a loop.
struct ExifRecord {
    private let bytes: ArraySlice<UInt8>
    private let isBigEndian: Bool

    /// - Returns: nil if the bytes do not begin as a TIFF file does, perhaps after `Exif` and two zeros.
    init?(_ record: [UInt8]) {
        var bytes = record[...]
        let prefix = Array("Exif\0\0".utf8)
        // Some writers put the prefix there twice.
        for _ in 0..<2 where bytes.starts(with: prefix) { bytes = bytes.dropFirst(prefix.count) }
        if bytes.starts(with: [0x49, 0x49, 0x2A, 0x00]) {
            isBigEndian = false
        } else if bytes.starts(with: [0x4D, 0x4D, 0x00, 0x2A]) {
            isBigEndian = true
        } else {
            return nil
        }
        self.bytes = bytes
    }

    /// The value of the tag 0x0112; nil if there is none. Of several, the last one counts.
    var orientation: Int? {
        guard let directory = number(at: 4, width: 4), let count = number(at: directory, width: 2) else {
            return nil
        }
        var found: Int?
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let tag = number(at: entry, width: 2), let type = number(at: entry + 2, width: 2),
                let length = number(at: entry + 4, width: 4), number(at: entry + 8, width: 4) != nil
            else { break }
            // A whole number of 16 or 32 bits; the sign of one from 1 to 8 says nothing.
            guard tag == 0x0112, let width = [3: 2, 4: 4, 8: 2, 9: 4][type], length > 0 else { continue }
            // What does not fit into the entry's last four bytes lies where they point to.
            let place = length * width <= 4 ? entry + 8 : number(at: entry + 8, width: 4)
            if let place, let value = number(at: place, width: width) { found = value }
        }
        return found
    }

    /// A number of `width` bytes; nil if the record ends before it does.
    private func number(at offset: Int, width: Int) -> Int? {
        guard offset >= 0, offset + width <= bytes.count else { return nil }
        let digits = bytes.dropFirst(offset).prefix(width)
        return isBigEndian
            ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
