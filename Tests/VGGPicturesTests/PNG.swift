import CZlib
import Foundation
import Testing
import VGGPictures

/// A PNG file taken apart by the letter of the specification, for pictures of 8-bit RGB without filters.
struct PNG {
    var width: Int
    var height: Int
    var bytes: [UInt8]

    init(_ file: Data) throws {
        let file = [UInt8](file)
        try #require(file.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        var chunks: [(type: String, content: ArraySlice<UInt8>)] = []
        var position = 8
        while position < file.count {
            let length = try Self.integer(file, position)
            let end = position + 8 + length
            try #require(end + 4 <= file.count)
            let checked = file[position + 4..<end]
            let checksum = crc32(0, Array(checked), UInt32(checked.count))
            #expect(Int(checksum) == (try Self.integer(file, end)))
            chunks.append((String(decoding: checked.prefix(4), as: UTF8.self), checked.dropFirst(4)))
            position = end + 4
        }
        try #require(chunks.map(\.type) == ["IHDR", "IDAT", "IEND"])
        let header = Array(chunks[0].content)
        width = try Self.integer(header, 0)
        height = try Self.integer(header, 4)
        try #require(header.dropFirst(8) == [8, 2, 0, 0, 0])
        try #require(chunks[2].content.isEmpty)

        // One byte of room more than needed shows that there is no more.
        let expected = (width * 3 + 1) * height
        var rows = [UInt8](repeating: 0, count: expected + 1)
        var length = UInt(rows.count)
        let status = uncompress(&rows, &length, Array(chunks[1].content), UInt(chunks[1].content.count))
        try #require(status == Z_OK)
        try #require(length == expected)
        bytes = []
        for start in stride(from: 0, to: expected, by: width * 3 + 1) {
            try #require(rows[start] == 0)
            bytes += rows[start + 1..<start + 1 + width * 3]
        }
    }

    private static func integer(_ bytes: [UInt8], _ position: Int) throws -> Int {
        try #require(position + 4 <= bytes.count)
        return bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    func colour(x: Int, y: Int) -> Colour {
        let start = (y * width + x) * 3
        return Colour(red: bytes[start], green: bytes[start + 1], blue: bytes[start + 2])
    }
}
