import Foundation
import Testing
import VGGFiles

@Suite struct FileNameTests {
    /// Bytes and the text they have: escapes only where bytes are not UTF-8, or where a name could be taken for one.
    static let names: [([UInt8], String)] = [
        (Array("photo.jpg".utf8), "photo.jpg"), (Array("gänse".utf8), "gänse"), ([], ""),
        ([0x67, 0xE4, 0x6E, 0x73, 0x65], "g\\xe4nse"), ([0xFF, 0xC3], "\\xff\\xc3"),
        // A surrogate, an overlong slash and the first half of a character.
        ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"), ([0xC0, 0xAF], "\\xc0\\xaf"),
        ([0xE4, 0xB8, 0x61], "\\xe4\\xb8a"),
        (Array("a\\b\\x".utf8), "a\\b\\x"), (Array("\\x41\\xE4\\xe".utf8), "\\x41\\xE4\\xe"),
        (Array("\\xe4".utf8), "\\x5cxe4"), (Array("\\x5c".utf8), "\\x5cx5c"), ([0x5C, 0xE4], "\\\\xe4"),
    ]

    @Test(arguments: names) func namesHaveATextAndAreFoundByIt(_ bytes: [UInt8], _ text: String) {
        #expect(Array(FileName.text(bytes).utf8) == Array(text.utf8))
        #expect(FileName.bytes(text) == bytes)
        #expect(
            text.withSystemPath { path in (0..<bytes.count).map { UInt8(bitPattern: path[$0]) } } == bytes)
        #expect(text.withSystemPath { $0[bytes.count] } == 0)
    }

    @Test func everyNameComesBack() {
        var random = SystemRandomNumberGenerator()
        // Of few different bytes, so that escapes come about by chance.
        let alphabet: [UInt8] = [0x5C, 0x78, 0x65, 0x34, 0x35, 0x63, 0xE4, 0xC3, 0xA4, 0x2F]
        for _ in 0..<2000 {
            let bytes = (0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            #expect(FileName.bytes(FileName.text(bytes)) == bytes, "\(bytes)")
        }
    }

    /// Python's `sorted(os.listdir(path))`.
    @Test func theOrderIsPythons() {
        let names = ["\u{1F600}", "\u{FF5E}", "g\\xe4nse", "red", "\u{4E2D}", "green", "Z"]
        let sorted = FileName.sorted(names) { $0 }
        #expect(sorted == ["Z", "green", "g\\xe4nse", "red", "\u{4E2D}", "\u{FF5E}", "\u{1F600}"])
        #expect(
            FileName.sorted(["\\xe4", "\u{FF5E}", "\u{4E2D}"]) { $0 } == ["\u{4E2D}", "\\xe4", "\u{FF5E}"])
    }

    @Test(arguments: [
        ("/a/./b//c/", "/a/b/c"), ("/a/../b", "/b"), ("/..", "/"), ("/", "/"), ("/a/\u{301}b/..", "/a"),
    ]) func pathsBecomeAbsolute(_ path: String, _ absolute: String) {
        #expect(FileName.absolute(path) == absolute)
    }

    @Test func relativePathsBeginInTheCurrentFolder() {
        #expect(FileName.absolute("x") == FileManager.default.currentDirectoryPath + "/x")
    }

    /// What is on the disk under a name that is no text.
    @Test func foldersAreReadByBytes() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "names-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["g\\xe4nse", "b", ".hidden"] {
            #expect("\(folder)/\(name)".withSystemPath { mkdir($0, 0o755) } == 0)
        }
        #expect(try namesInFolder(folder) == [".hidden", "b", "g\\xe4nse"])
        #expect(FileKind(at: "\(folder)/g\\xe4nse") == .folder && FileKind(at: "\(folder)/gnse") == nil)
        let error = #expect(throws: FileError.self) { try openForReading("\(folder)/\\xff") }
        #expect(error?.description == "\(folder)/\\xff: cannot be opened: No such file or directory")
        #expect(throws: FileError.self) { try namesInFolder("\(folder)/none") }
        #expect("\(folder)/g\\xe4nse".withSystemPath { rmdir($0) } == 0)
    }
}
