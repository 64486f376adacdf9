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

    private func mode(_ path: String) throws -> Int {
        try #require(
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test(arguments: [0o600, 0o640, 0o755, 0o666]) func keepsTheMode(_ wanted: Int) throws {
        let path = folder.url("a").path
        try AtomicFile.replace(path, with: Data("old".utf8))
        try FileManager.default.setAttributes([.posixPermissions: wanted], ofItemAtPath: path)
        try AtomicFile.replace(path, with: Data("new".utf8))
        #expect(try mode(path) == wanted)
    }

    @Test func followsLinksToTheirEnd() throws {
        let (target, middle, link) = (
            folder.url("below/target").path, folder.url("below/middle").path,
            folder.url("link").path
        )
        try FileManager.default.createDirectory(
            at: folder.url("below"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "below/middle")
        try FileManager.default.createSymbolicLink(atPath: middle, withDestinationPath: target)
        // First the target is not there.
        for text in ["first", "second"] {
            try AtomicFile.checkReplaceable(link)
            try AtomicFile.replace(link, with: Data(text.utf8))
            #expect(try String(contentsOfFile: target, encoding: .utf8) == text)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "below/middle")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: middle) == target)
        }
        try FileManager.default.removeItem(atPath: middle)
        try FileManager.default.createSymbolicLink(atPath: middle, withDestinationPath: "../link")
        #expect(throws: FileError.self) { try AtomicFile.replace(link, with: Data()) }
    }

    @Test func writesWhatIsNoFileThrough() throws {
        try AtomicFile.checkReplaceable("/dev/null")
        try AtomicFile.replace("/dev/null", with: Data("gone".utf8))
        #expect(
            try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType
                == .typeCharacterSpecial)
        let path = folder.url("pipe").path
        #expect(mkfifo(path, 0o600) == 0)
        // Nobody reads yet, and nobody is waited for.
        try AtomicFile.checkReplaceable(path)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try AtomicFile.replace(path, with: Data("through".utf8))
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(read(reader, &bytes, 16) == 7 && bytes.starts(with: Data("through".utf8)))
        #expect(try folder.names() == ["pipe"])
        #expect(throws: FileError("/dev/full", "cannot be written: No space left on device")) {
            try AtomicFile.replace("/dev/full", with: Data("more".utf8))
        }
        #expect(throws: FileError(folder.path, "cannot be written: it is a folder")) {
            try AtomicFile.replace(folder.path, with: Data())
        }
    }

    @Test func anEndingProgramLeavesNoTemporaryFile() async throws {
        let path = folder.url("a").path
        await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
            try AtomicFile.replace(path) { file in
                try Data("half".utf8).withUnsafeBytes { try file.write($0) }
                TemporaryFiles.removeAll { exit(7) }
            }
        }
        #expect(try folder.names().isEmpty)
    }
}
