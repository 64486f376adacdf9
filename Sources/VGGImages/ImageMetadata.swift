/// What a file says about its picture besides the pixels: its EXIF and XMP records.
///
/// Files are read as far as they make sense: a broken record is none.
struct ImageMetadata {
    private var exif: [UInt8]?
    private var xmp: [UInt8]?

    init(_ bytes: [UInt8], format: ImageFormat) {
        switch format {
        case .jpeg: readSegments(bytes)
        case .png: readPNGChunks(bytes)
        case .webp: readRIFFChunks(bytes)
        }
    }

    /// EXIF's orientation; where there is none, XMP's, as Pillow has it.
    var orientation: Orientation {
        if let exif, let value = ExifRecord(exif)?.orientation {
            return Orientation(rawValue: value) ?? .upright
        }
        if let xmp, let value = Self.orientation(xmp: xmp) { return Orientation(rawValue: value) ?? .upright }
        return .upright
    }

    /// The digit after `tiff:Orientation="` or `tiff:Orientation>`.
    private static func orientation(xmp: [UInt8]) -> Int? {
        let name = Array("tiff:Orientation".utf8)
        var rest = xmp[...]
        while let start = rest.firstIndex(of: name[0]) {
            rest = rest[start...]
            if rest.starts(with: name) {
                let value = rest.dropFirst(name.count)
                for opening in ["=\"", ">"] where value.starts(with: opening.utf8) {
                    if let digit = value.dropFirst(opening.utf8.count).first, (0x30...0x39).contains(digit) {
                        return Int(digit) - 0x30
                    }
                }
            }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// JPEG's marker segments up to the first scan (ITU T.81, annex B.1).
    private mutating func readSegments(_ bytes: [UInt8]) {
        let exifName = Array("Exif\0\0".utf8)
        let xmpName = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
        var place = 2
        while place + 4 <= bytes.count {
            let marker = bytes[place + 1]
            // Fill bytes, and what does not belong there, are passed over; some markers stand alone.
            guard bytes[place] == 0xFF, ![0x00, 0x01, 0xFF].contains(marker), !(0xD0...0xD8).contains(marker)
            else {
                place += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return }
            let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
            let payload = bytes[(place + 4)...].prefix(max(length - 2, 0))
            if marker == 0xE1, payload.starts(with: exifName) {
                // A long record goes on in the next segments, and grows in place.
                exif = exif ?? Array(exifName)
                exif?.append(contentsOf: payload.dropFirst(exifName.count))
            } else if marker == 0xE1, payload.starts(with: xmpName) {
                xmp = Array(payload.dropFirst(xmpName.count))
            }
            place += 2 + max(length, 2)
        }
    }

    /// PNG's chunks (W3C PNG, section 5.3). Of text, only XMP that is not compressed; the EXIF records that old
    /// versions of ImageMagick wrote as text are not read.
    private mutating func readPNGChunks(_ bytes: [UInt8]) {
        // The keyword, then no compression, no language and no translated keyword.
        let xmpName = Array("XML:com.adobe.xmp\0\0\0\0\0".utf8)
        var place = 8
        while place + 8 <= bytes.count {
            let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            let name = bytes[(place + 4)..<(place + 8)]
            let payload = bytes[(place + 8)...].prefix(length)
            if name.elementsEqual("eXIf".utf8) {
                exif = Array(payload)
            } else if name.elementsEqual("iTXt".utf8), payload.starts(with: xmpName) {
                xmp = Array(payload.dropFirst(xmpName.count))
            }
            place += 12 + length
        }
    }

    /// WebP's chunks (RFC 9649, section 2.3); the first of each kind counts.
    private mutating func readRIFFChunks(_ bytes: [UInt8]) {
        var place = 12
        while place + 8 <= bytes.count {
            let length = bytes[(place + 4)..<(place + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
            let name = bytes[place..<place + 4]
            let payload = bytes[(place + 8)...].prefix(length)
            if exif == nil, name.elementsEqual("EXIF".utf8) {
                exif = Array(payload)
            } else if xmp == nil, name.elementsEqual("XMP ".utf8) {
                xmp = Array(payload)
            }
            place += 8 + length + length % 2
        }
    }
}
