import ArgumentParser

/// How a folder of photos is trained on.
struct FolderOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Test on this share of each class's photos, such as 0.2, chosen by the seed; for a folder without train \
            and val.
            """)
    var valSplit: Double?

    @Flag(
        help: """
            Leave out photos that cannot be read, and say which: all are decoded first. A run remembers it.
            """)
    var skipBroken = false
}
