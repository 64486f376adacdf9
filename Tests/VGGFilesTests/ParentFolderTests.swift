import Testing
import VGGFiles

@Suite struct ParentFolderTests {
    @Test(arguments: [
        ("r", "."), ("r/", "."), ("r/a", "r"), ("r//a/", "r"), ("/", "/"), ("//", "/"), ("/r", "/"),
        ("/r/a", "/r"),
        ("a/b/c", "a/b"), (".", "."), ("", "."), ("../x", ".."),
    ]) func isWhereThePathIs(_ path: String, _ parent: String) {
        #expect(path.parentFolder == parent)
    }

    /// Also of folders that are not there yet, whose names are short.
    @Test(arguments: ["q", "q/", "q/a", "/q", ".", "", "a/b/c/d"]) func freeSpaceIsKnownAnywhere(
        _ path: String
    ) {
        #expect(FreeDisk.bytes(at: path) ?? 0 > 0)
    }
}
