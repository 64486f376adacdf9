import ArgumentParser

/// How a folder of photos is trained on.
struct FolderOptions: ParsableArguments {
    @Flag(
        help: """
            Leave out photos that cannot be read, and say which: all are decoded first. A run remembers it.
            """)
    var skipBroken = false
}
