import Foundation
import Testing
import VGGFiles
import VGGImages
import VGGTestSupport

@Suite(.enabled(if: Goldens.areReadable)) struct PhotoTests {
    /// A file and what Pillow makes of it; see Scripts/goldens/photos.py.
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let width: Int
        let height: Int
        let pixels: Data

        var testDescription: String { file }
        var bytes: [UInt8] { Goldens.bytes("photos/\(file)") }

        static let all: [Golden] = Goldens.decode("photos.json")
    }

    @Test(arguments: Golden.all) func equalsPillow(golden: Golden) throws {
        let image = try RGBImage(decoding: golden.bytes)
        #expect(image.width == golden.width && image.height == golden.height)
        #expect(image.pixels == Array(golden.pixels))
    }

    /// A file that ends early is never taken for a whole one, wherever it ends.
    @Test(arguments: Golden.all) func anEarlyEndIsAnError(golden: Golden) {
        let bytes = golden.bytes
        for count in 0..<bytes.count {
            #expect(throws: ImageError.self, "\(count) of \(bytes.count) bytes") {
                try RGBImage(decoding: Array(bytes.prefix(count)))
            }
        }
    }

    @Test(arguments: ["baseline-420.jpg", "rgb8.png", "lossy.webp", "lossless.webp"])
    func anEarlyEndIsCalledSo(_ file: String) throws {
        let bytes = Goldens.bytes("photos/\(file)")
        let format = try #require(ImageFormat(bytes))
        #expect(throws: ImageError.truncated(format)) {
            try RGBImage(decoding: Array(bytes.prefix(bytes.count - 20)))
        }
    }

    /// Whatever is in a file, reading it ends, with a picture or with an error.
    @Test(arguments: Golden.all) func damageDoesNoHarm(golden: Golden) {
        let bytes = golden.bytes
        var random = SeededGenerator(state: UInt64(crc32(bytes)))
        for _ in 0..<100 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                damaged[place] = UInt8.random(in: 0...255, using: &random)
            }
            if let image = try? RGBImage(decoding: damaged) {
                #expect(image.pixels.count == image.width * image.height * 3)
            }
        }
    }

    /// What Scripts/fuzz found in ten minutes: each file reaches code that the others do not.
    @Test func whatTheFuzzerFoundDoesNoHarm() throws {
        let corpus = Goldens.names("corpus")
        #expect(corpus.count > 100)
        for name in corpus {
            if let image = try? RGBImage(decoding: Goldens.bytes("corpus/\(name)")) {
                #expect(image.pixels.count == image.width * image.height * 3, "\(name)")
            }
        }
    }

    @Test func hugeSizesAreRefusedBeforeMemoryIsTaken() throws {
        let png = Goldens.bytes("photos/rgb8.png")
        #expect(throws: ImageError.tooLarge(width: 20000, height: 20000)) {
            try RGBImage(decoding: png.declaring(pngWidth: 20000, height: 20000))
        }
        #expect(throws: ImageError.tooLarge(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)) {
            try RGBImage(decoding: png.declaring(pngWidth: 0x7FFF_FFFF, height: 0x7FFF_FFFF))
        }
        // An allowed size, but more pixels than so few bytes can hold.
        #expect(throws: ImageError.truncated(.png)) {
            try RGBImage(decoding: png.declaring(pngWidth: 13000, height: 13000))
        }
        #expect(throws: ImageError.self) { try RGBImage(decoding: png.declaring(pngWidth: 0, height: 9)) }

        var jpeg = Goldens.bytes("photos/baseline-444.jpg")
        let frame = try #require(jpeg.indices.first { jpeg[$0...].starts(with: [0xFF, 0xC0]) })
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
        #expect(throws: ImageError.tooLarge(width: 65500, height: 65500)) { try RGBImage(decoding: jpeg) }
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0x30, 0, 0x30, 0])
        #expect(throws: ImageError.truncated(.jpeg)) { try RGBImage(decoding: jpeg) }

        var webp = Goldens.bytes("photos/animated.webp")
        webp.replaceSubrange(24..<30, with: [0xFF, 0x3F, 0, 0xFF, 0x3F, 0])
        #expect(throws: ImageError.tooLarge(width: 16384, height: 16384)) { try RGBImage(decoding: webp) }
    }

    @Test func otherFilesAreNoPictures() {
        for bytes in [Array("some text".utf8), [0xFF, 0xD8], Array("RIFF    WAVEfmt ".utf8)] {
            #expect(throws: ImageError.unknownFormat) { try RGBImage(decoding: bytes) }
        }
        #expect(throws: ImageError.empty) { try RGBImage(decoding: []) }
        for (start, kind) in [
            ("GIF89a", "a GIF picture"), ("BM", "a BMP picture"), ("II*\0", "a TIFF picture"),
            ("\0\0\0\u{18}ftypheic", "a HEIC picture"), ("\0\0\0\u{1C}ftypavif", "an AVIF picture"),
            ("\n<!DOCTYPE html>", "a web page"),
        ] {
            #expect(throws: ImageError.otherKind(kind)) {
                try RGBImage(decoding: Array("\(start) and more".utf8))
            }
        }
    }

    /// EXIF records that point at themselves, behind their end or nowhere: the picture is as it was stored.
    @Test(arguments: [
        "",  // No record at all.
        "4D4D", "4D4D002A", "4D4D002A00000008", "4D4D002AFFFFFFFF0001", "4D4D002A00000008FFFF",
        // The directory is the header itself.
        "4D4D002A00000000",
        // The next directory is the same one.
        "4D4D002A00000008" + "0001" + "011200030000000100010000" + "00000008",
        // The entry's value lies behind the end, at the end of the numbers, and in the entry itself.
        "4D4D002A00000008" + "0001" + "01120003000000097FFFFFFF" + "00000000",
        "4D4D002A00000008" + "0001" + "0112000300000009FFFFFFFF" + "00000000",
        "4D4D002A00000008" + "0001" + "01120003FFFFFFFF0000000A" + "00000000",
        // An orientation that there is not, none at all, and one that is a text.
        "4D4D002A00000008" + "0001" + "011200030000000100090000" + "00000000",
        "4D4D002A00000008" + "0001" + "011200030000000006000000" + "00000000",
        "4D4D002A00000008" + "0001" + "011200020000000106000000" + "00000000",
    ]) func brokenOrientationsTurnNothing(_ record: String) throws {
        let stored = Goldens.bytes("photos/baseline-444.jpg")
        let payload = Array("Exif\0\0".utf8) + hexadecimal(record)
        let segment = [0xFF, 0xE1, 0, UInt8(payload.count + 2)] + payload
        #expect(
            try RGBImage(decoding: stored.prefix(2) + segment + stored.dropFirst(2))
                == RGBImage(decoding: stored))
    }

    /// The same record, in one piece, in two, and twice with different values: the last entry counts.
    @Test func orientationsAreFoundWhereverTheyAre() throws {
        let stored = Goldens.bytes("photos/baseline-444.jpg")
        let entries = "4D4D002A00000008" + "0002" + "011200030000000100030000" + "011200040000000100000006"
        let record = hexadecimal(entries + "00000000")
        func segment(_ part: some Collection<UInt8>) -> [UInt8] {
            [0xFF, 0xE1, 0, UInt8(part.count + 8)] + Array("Exif\0\0".utf8) + part
        }
        let whole = try RGBImage(decoding: stored.prefix(2) + segment(record) + stored.dropFirst(2))
        #expect(whole.width == 21 && whole.height == 35)
        let split = segment(record.prefix(17)) + segment(record.dropFirst(17))
        #expect(try RGBImage(decoding: stored.prefix(2) + split + stored.dropFirst(2)) == whole)
    }

    @Test func filesAreNamedInErrors() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "photo-\(UUID().uuidString)").path
        #expect(throws: FileError(path, "cannot be opened: No such file or directory")) {
            try RGBImage(contentsOf: path)
        }
        let bytes = Goldens.bytes("photos/rgb8.png")
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try RGBImage(contentsOf: path) == RGBImage(decoding: bytes))
        try Data(bytes.prefix(50)).write(to: URL(filePath: path))
        #expect(throws: FileError(path, "the PNG picture ends too early; get the file again")) {
            try RGBImage(contentsOf: path)
        }
        #expect(throws: FileError.self) {
            try RGBImage(contentsOf: FileManager.default.temporaryDirectory.path)
        }
    }

    private func hexadecimal(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}

@Suite struct MissingLibraryTests {
    /// On a machine without a library, a photo of its kind is refused; the first bytes say which kind it is.
    @Test(
        arguments: [
            (.jpeg, [0xFF, 0xD8, 0xFF]), (.png, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
            (.webp, Array("RIFF    WEBP".utf8)),
        ].filter { (format: ImageFormat, _: [UInt8]) in !format.isSupported })
    func refusesWhatItCannotRead(_ format: ImageFormat, _ bytes: [UInt8]) {
        #expect(throws: ImageError.missingLibrary(format)) { try RGBImage(decoding: bytes) }
    }

    @Test func saysWhatToInstall() {
        let packages = [ImageFormat.jpeg: "libjpeg-dev", .png: "libpng-dev", .webp: "libwebp-dev"]
        for (format, package) in packages {
            #expect("\(ImageError.missingLibrary(format))".contains("apt-get install \(package),"))
        }
    }
}

/// What Pillow makes of files with alpha over white, or over black; see Scripts/goldens/photos.py.
@Suite(.enabled(if: Goldens.areReadable)) struct AlphaTests {
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let pixels: Data

        var testDescription: String { file }

        static let all: [Golden] = Goldens.decode("alpha.json")
    }

    @Test(arguments: Golden.all) func equalsPillow(golden: Golden) throws {
        let image = try RGBImage(decoding: Goldens.bytes("photos/\(golden.file)"), alpha: .blended)
        #expect(image.pixels == Array(golden.pixels))
    }
}
