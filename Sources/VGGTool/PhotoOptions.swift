import ArgumentParser
import VGGKit

/// Photos to look at.
struct PhotoOptions: ParsableArguments {
    @Argument(
        help: """
            Photos: JPEG, PNG or WebP files; folders, for all such files in them and in their sub-folders; or \
            - for standard input.
            """)
    var images: [String] = []

    @Option(parsing: .unconditional, help: "Photos in a batch (default: 16).")
    var batchSize: Int?

    /// Photos in a batch, no more than there are.
    func batchSize(for list: PhotoList) -> Int { min(batchSize ?? 16, max(list.files.count, 1)) }

    func validate() throws {
        try ValidationError.check("--batch-size", batchSize, in: SettingRange.batchSize)
        guard images.count(where: { $0 == RGBImage.standardInput }) <= 1 else {
            throw ValidationError("- is given twice, but standard input holds one photo")
        }
    }
}
