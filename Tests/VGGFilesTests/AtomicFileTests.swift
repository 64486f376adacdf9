import Foundation
import Testing
import VGGFiles

@Suite struct AtomicFileTests {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "atomic-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func listing() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func replacesTheWholeFile() throws {
        let path = folder.appending(path: "a").path
        try AtomicFile.replace(path, with: Data("first, and longer".utf8))
        try AtomicFile.replace(path, with: Data("second".utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "second")
        #expect(try listing() == ["a"])
    }

    @Test func keepsTheOldFileWhenTheBodyThrows() throws {
        struct Stop: Error {}
        let path = folder.appending(path: "a").path
        try AtomicFile.replace(path, with: Data("old".utf8))
        #expect(throws: Stop.self) {
            try AtomicFile.replace(path) { file in
                try Data("half".utf8).withUnsafeBytes { try file.write($0) }
                throw Stop()
            }
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(try listing() == ["a"])
    }

    @Test func namesTheFileThatCannotBeWritten() {
        let path = folder.appending(path: "missing/a").path
        #expect(throws: FileError(path, "cannot be written: No such file or directory")) {
            try AtomicFile.replace(path, with: Data())
        }
        #expect(throws: FileError(path, "cannot be written: No such file or directory")) {
            try AtomicFile.checkReplaceable(path)
        }
    }

    @Test func tryingChangesNothing() throws {
        let path = folder.appending(path: "a").path
        try AtomicFile.checkReplaceable(path)
        #expect(try listing().isEmpty)
        try AtomicFile.replace(path, with: Data("old".utf8))
        try AtomicFile.checkReplaceable(path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old" && listing() == ["a"])
    }
}
