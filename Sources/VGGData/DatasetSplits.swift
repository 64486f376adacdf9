/// The two halves of a data set, and what of the first is kept for validation.
public struct DatasetSplits: Sendable {
    /// Which images are the testing half.
    public enum Testing: String, Hashable, Sendable, Codable {
        /// Those that the data set has for it.
        case own
        /// Those that a run tested itself on.
        case run
        /// All.
        case all
    }

    /// What is learned from.
    public let train: ImageDataset
    /// What is kept for testing.
    public let test: ImageDataset
    /// What a training is judged by while it goes on, so that the test has no say: kept of the training half, or a half that
    /// a folder of photos has for it; nil where the test half is all there is.
    public var validation: ImageDataset?
    /// The folder the files were read from.
    public let folder: String
    /// Whether the content has the published checksums; false also where none are known.
    public let isVerified: Bool
    /// What somebody should know who thinks that everything in the folder is used, a line each.
    public var remarks: [String] = []
    /// What is tested on.
    public var testing = Testing.own

    /// The same without a training half: that is for testing instead.
    package var testingAll: DatasetSplits { testing(on: train, .all) }

    /// The same with the photos for testing that `validation` keeps.
    package func testing(keptBy validation: ValidationSplit) -> DatasetSplits {
        testing(on: keeping(validation).test, .run)
    }

    /// The same with these photos for testing, and none for training.
    package func testing(on test: ImageDataset, _ testing: Testing) -> DatasetSplits {
        var splits = with(train: train.prefix(0), test: test)
        splits.testing = testing
        return splits
    }

    /// The same with some of the training half for validation; for testing, where there is nothing else to test on.
    func keeping(_ validation: ValidationSplit) -> DatasetSplits {
        var kept: Set<Int> = []
        for (number, members) in Dictionary(grouping: train.labels.indices, by: { train.labels[$0] }) {
            kept.formUnion(validation.kept(of: members.count, inClass: Int(number)).map { members[$0] })
        }
        let positions = Array(train.labels.indices)
        let (rest, part) = (
            train.subset(positions.filter { !kept.contains($0) }),
            train.subset(positions.filter(kept.contains))
        )
        guard test.count > 0 else { return with(train: rest, test: part) }
        var splits = with(train: rest, test: test)
        splits.validation = part
        return splits
    }

    func with(train: ImageDataset, test: ImageDataset) -> DatasetSplits {
        DatasetSplits(
            train: train, test: test, folder: folder, isVerified: isVerified, remarks: remarks,
            testing: testing)
    }
}
