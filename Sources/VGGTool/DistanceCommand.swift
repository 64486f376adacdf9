import ArgumentParser
import VGGKit

struct DistanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distance",
        abstract: "Say how alike pictures look.",
        discussion: """
            Of two pictures their distance, 0 for the same; of two folders that of all pictures that have the same name; of \
            more pictures, or one folder, a table. With --linear it is LPIPS (VGG-16), else the mean squared \
            difference of features, added up over the layers.
            Examples:
              vgg distance a.png b.png --weights vgg16.pth --linear lpips/vgg.pth
              vgg distance real/ made/ --weights vgg16.pth --size 256
              vgg distance me.jpg --nearest 5 --among all/ --weights vgg16.pth --size 224
              vgg distance --pairs pairs.tsv --weights vgg16.pth --format json
            """)

    @Argument(help: "Pictures: JPEG, PNG or WebP files, or folders of such.")
    var pictures: [String] = []

    @Option(
        help: "A file with two pictures a line, separated by a tab, or by a space where there is no tab.",
        transform: HomeFolder.expandingTilde)
    var pairs: String?

    @Option(parsing: .unconditional, help: "The so many pictures that are most like the one that is named.")
    var nearest: Int?

    @Option(help: "Pictures or folders to look for the nearest in (may be given several times).")
    var among: [String] = []

    @Option(
        help: "LPIPS's linear weights, such as the lpips package's weights/v0.1/vgg.pth.",
        transform: HomeFolder.expandingTilde)
    var linear: String?

    @Option(
        help: ArgumentHelp(
            "The layers to compare without --linear (default: the last ReLU of each block).",
            valueName: "layer,…"))
    var layer: LayerList?

    @Option(
        parsing: .unconditional,
        help: """
            Compare the squares in the middle, resized to so many pixels (default: whole pictures, which then have to \
            be of one size).
            """)
    var size: Int?

    @Option(
        parsing: .unconditional, help: "Pictures in a batch (default: \(PictureComparison.defaultBatchSize))."
    )
    var batchSize: Int?

    @OptionGroup var precision: PictureArithmetic

    @OptionGroup var network: PictureNetworkOptions
    @OptionGroup var format: FormatOption

    func validate() throws {
        try ValidationError.check("--size", size, in: 1...Preprocessing.maximumSize)
        try ValidationError.check("--batch-size", batchSize, in: SettingRange.batchSize)
        try layer?.validate()
        guard linear == nil || layer == nil else {
            throw ValidationError("LPIPS has layers of its own; leave out --layer, or --linear")
        }
        if let nearest {
            guard nearest > 0, pictures.count == 1, !among.isEmpty, pairs == nil else {
                throw ValidationError(
                    "--nearest N takes one picture, a number above 0, and --among with those to look in")
            }
            return
        }
        guard among.isEmpty else { throw ValidationError("--among is where --nearest looks; give both") }
        guard (pairs == nil) != pictures.isEmpty else {
            throw ValidationError(
                "name two pictures, two folders, or more pictures; or give --pairs FILE alone")
        }
    }

    private func metric(_ lpips: LPIPSWeights?, of network: Network) -> PerceptualMetric {
        if let lpips { return .lpips(lpips) }
        return .features(layer?.names ?? PerceptualMetric.lastReLUs(of: network))
    }

    func run() throws {
        let lpips = try linear.map { try LPIPSWeights(contentsOf: $0) }
        let batchSize = batchSize ?? PictureComparison.defaultBatchSize
        var report = DistanceReport(format: format.format)
        let maps = try network.load()
        let precision = precision.chosen(on: maps.device)
        var comparison = PictureComparison(
            maps, metric(lpips, of: maps.network), size: size, batchSize: batchSize, precision: precision)
        if let nearest {
            try report.nearest(nearest, to: pictures[0], among: PhotoList(among), by: &comparison, batchSize)
        } else if let pairs = try pairList() {
            try report.pairs(pairs, by: &comparison, batchSize)
        } else {
            try report.table(PhotoList(pictures), by: &comparison, batchSize)
        }
        if report.hasProblems { throw ExitCode.failure }
    }

    /// nil where every picture is compared with every other.
    private func pairList() throws -> [DistanceReport.Pair]? {
        if let pairs { return try DistanceReport.Pair.read(pairs) }
        guard pictures.count == 2 else { return nil }
        let areFolders = pictures.map { FileKind(at: $0) == .folder }
        guard areFolders[0] == areFolders[1] else {
            throw ValidationError(
                "\(pictures[areFolders[0] ? 0 : 1]) is a folder, and the other is not; --nearest N --among FOLDER looks for a picture in a folder"
            )
        }
        guard areFolders[0] else { return [DistanceReport.Pair(a: pictures[0], b: pictures[1])] }
        return try DistanceReport.Pair.ofFolders(pictures[0], pictures[1])
    }
}
