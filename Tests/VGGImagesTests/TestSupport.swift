import Foundation
import VGGImages
import VGGTestSupport

/// The files that Scripts/goldens/photos.py and resize.py wrote.
enum Goldens {
    static func bytes(_ name: String) -> [UInt8] { [UInt8](try! Data(contentsOf: url(name))) }

    /// The names of the files in a folder.
    static func names(_ folder: String) -> [String] {
        try! FileManager.default.contentsOfDirectory(atPath: url(folder).path).sorted()
    }

    private static func url(_ name: String) -> URL {
        Bundle.module.resourceURL!.appending(path: "Goldens/\(name)")
    }

    static func decode<Value: Decodable>(_ name: String) -> [Value] {
        try! JSONDecoder().decode([Value].self, from: Data(bytes(name)))
    }

    /// Whether this machine had the libraries of all formats; without them there is nothing to test.
    static let areReadable = ImageFormat.allCases.allSatisfy(\.isSupported)
}

/// SplitMix64 (Steele et al. 2014), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}

extension Array where Element == UInt8 {
    /// Where `part` begins.
    func first(of part: String) -> Int? {
        indices.first { self[$0...].starts(with: part.utf8) }
    }

    /// A PNG with a header of this size, and the checksum that belongs to it.
    func declaring(pngWidth width: UInt32, height: UInt32) -> [UInt8] {
        var bytes = self
        bytes.replaceSubrange(16..<24, with: bigEndian(width) + bigEndian(height))
        bytes.replaceSubrange(29..<33, with: bigEndian(crc32(bytes[12..<29])))
        return bytes
    }
}
