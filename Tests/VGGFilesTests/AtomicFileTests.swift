import Foundation
import Testing
import VGGFiles
import VGGTestSupport

@Suite struct AtomicFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func replacesTheWholeFile() throws {
        let path = folder.url("a").path
        try AtomicFile.replace(path, with: Data("first, and longer".utf8))
        try AtomicFile.replace(path, with: Data("second".utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "second")
        #expect(try folder.names() == ["a"])
    }

    @Test func keepsTheOldFileWhenTheBodyThrows() throws {
        struct Stop: Error {}
        let path = folder.url("a").path
        try AtomicFile.replace(path, with: Data("old".utf8))
        #expect(throws: Stop.self) {
            try AtomicFile.replace(path) { file in
                try Data("half".utf8).withUnsafeBytes { try file.write($0) }
                throw Stop()
            }
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(try folder.names() == ["a"])
    }

    @Test func namesTheFileThatCannotBeWritten() {
        let path = folder.url("missing/a").path
        #expect(throws: FileError(path, "cannot be written: No such file or directory")) {
            try AtomicFile.replace(path, with: Data())
        }
        #expect(throws: FileError(path, "cannot be written: No such file or directory")) {
            try AtomicFile.checkReplaceable(path)
        }
    }

    @Test func tryingChangesNothing() throws {
        let path = folder.url("a").path
        try AtomicFile.checkReplaceable(path)
        #expect(try folder.names().isEmpty)
        try AtomicFile.replace(path, with: Data("old".utf8))
        try AtomicFile.checkReplaceable(path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old" && folder.names() == ["a"])
    }
}
