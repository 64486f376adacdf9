/// What the files of a data set, most often an MNIST-shaped one, do not say themselves.
struct KnownDataset: Sendable {
    let name: String
    /// nil if the classes are just the numbers that occur as labels.
    let classNames: [String]?
    /// Other names, in lower case without anything but letters and digits.
    var aliases: Set<String> = []
    /// The label of the first class.
    var firstLabel = 0
    /// Whether rows and columns are exchanged in the files.
    var isTransposed = false
    /// What the four files are and where they can be had, if that is known.
    var publication: Publication?

    /// Data sets that are known by name; any other name is a set of plain numbered classes.
    ///
    /// The class names of KMNIST and EMNIST are torchvision's. EMNIST's images are stored transposed and the
    /// labels of its letters begin at 1 (Cohen et al. 2017 kept the order of the MATLAB original); both are
    /// put right when the files are read, so that every image is upright and every first class is 0.
    static let all: [KnownDataset] = [
        KnownDataset(
            name: "fashion-mnist", classNames: fashion, aliases: ["fmnist"], publication: .fashionMNIST),
        KnownDataset(name: "mnist", classNames: digits),
        KnownDataset(
            name: "kmnist", classNames: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
            aliases: ["kuzushijimnist"]),
        KnownDataset(name: "emnist-letters", classNames: lowercase, firstLabel: 1, isTransposed: true),
        KnownDataset(name: "emnist-digits", classNames: digits, isTransposed: true),
        KnownDataset(name: "emnist-mnist", classNames: digits, isTransposed: true),
        KnownDataset(name: "emnist-byclass", classNames: digits + uppercase + lowercase, isTransposed: true),
        KnownDataset(name: "emnist-bymerge", classNames: merged, isTransposed: true),
        KnownDataset(name: "emnist-balanced", classNames: merged, isTransposed: true),
        KnownDataset(name: cifar10, classNames: CIFAR10.classNames),
    ]

    /// The one known set whose files are not IDX.
    static let cifar10 = "cifar10"

    /// The known set of this name, however it is spelt; else one of that name with numbered classes.
    static func named(_ name: String) -> KnownDataset {
        known(name) ?? KnownDataset(name: name, classNames: nil)
    }

    private static let fashion = [
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ]
    private static let digits = "0123456789".map(String.init)
    private static let uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)
    private static let lowercase = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    /// Where a letter looks the same in both cases, the two are one class.
    private static let merged = digits + uppercase + "abdefghnqrt".map(String.init)
}

/// Where a data set is published, and what its files must contain.
struct Publication: Sendable {
    struct File: Sendable {
        let part: DatasetPart
        let name: String
        /// Of the uncompressed content: the same data is compressed differently in different places.
        let sha256: String
    }

    /// The folder of the files on the web, with a slash at its end.
    let address: String
    let debianPackage: String
    /// In train/test and images/labels order: one for each `DatasetPart`.
    let files: [File]

    static let fashionMNIST = Publication(
        address: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        debianPackage: "dataset-fashion-mnist",
        files: [
            File(
                part: .trainImages, name: "train-images-idx3-ubyte.gz",
                sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            File(
                part: .trainLabels, name: "train-labels-idx1-ubyte.gz",
                sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            File(
                part: .testImages, name: "t10k-images-idx3-ubyte.gz",
                sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            File(
                part: .testLabels, name: "t10k-labels-idx1-ubyte.gz",
                sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
        ])
}
