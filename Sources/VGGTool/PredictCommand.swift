import ArgumentParser
import VGGKit

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what a trained network sees in photos, or in one test image of a data set.",
        discussion: """
            Examples:
              vgg predict fashion-mnist shoe.jpg --preprocessing garment --seen seen.png
              vgg predict vgg16.pth --labels imagenet_class_index.json cat.jpg holiday/
              curl -s https://example.org/cat.jpg | vgg predict vgg16.pth --format json -
              vgg train --recipe quick --run-dir runs/quick
              vgg predict runs/quick --data fashion-mnist --index 7 --top 3

            A photo that cannot be read is reported on standard error (with --format json also as a line of its own, \
            {"file":…,"error":…}), the others go on, and the exit code is 1.
            """)

    @OptionGroup var trained: TrainedModelOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var head: HeadOptions

    @OptionGroup(title: "Photos")
    var photos: PhotoOptions

    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(parsing: .unconditional, help: "Instead of photos: which of the test images, counted from 0.")
    var index: Int?

    @Option(parsing: .unconditional, help: "How many of the likeliest classes to print.")
    var top = 5

    @Option(
        help: ArgumentHelp(
            "Also draw what the network sees of the photos (of the first \(PredictCommand.mostSeen)), and what it takes them for, into this PNG file.",
            valueName: "file"),
        transform: HomeFolder.expandingTilde)
    var seen: String?

    /// More are no sheet that somebody looks at.
    private static let mostSeen = 100

    @OptionGroup var views: ViewOptions
    @OptionGroup var output: FormatOption

    func validate() throws {
        try ValidationError.check("--index", index, in: 0...SettingRange.count.upperBound)
        try ValidationError.check("--top", top, in: SettingRange.count)
        if index != nil {
            guard photos.images.isEmpty else {
                throw ValidationError(
                    "--index is for a data set's test images; leave it out to predict photos")
            }
            guard seen == nil else {
                throw ValidationError("--seen is for photos, not for test images by --index")
            }
        } else if photos.images.isEmpty {
            throw ValidationError(
                "there is nothing to predict; name photos or folders, or a test image by --index")
        } else if trained.data.data != nil || trained.data.dataDir != nil {
            throw ValidationError("--data and --data-dir are for test images by --index, not for photos")
        }
    }

    func run() throws {
        if let index { try predictTestImage(index) } else { try predictPhotos() }
    }

    private func predictTestImage(_ index: Int) throws {
        let loaded = try trained.load(head)
        let views = try views.views(for: loaded.preprocessing.size)
        let test = try trained.testData(for: loaded).data.test
        let example = try test.example(at: index, test.preparation(loaded.preprocessing))
        let place = trained.place(loaded.model, loaded.network, batchSize: 1, compute)
        let executor = try loaded.model.executor(
            for: loaded.network, batchSize: 1, precision: place.precision, device: place.device)
        let logits = views.logits(of: example, by: executor)
        try executor.checkDevice()
        try loaded.model.checkFinite(logits)

        let names = trained.labels.labels != nil ? loaded.names : test.classNames
        var prediction = Prediction(logits: logits, names: names, top: top)
        let label = Int(test.labels[index])
        let actual = label < names.count ? names[label] : "\(label)"
        (prediction.data, prediction.index, prediction.actual) = (test.name, index, actual)
        prediction.tta = self.views.tta?.text
        try prediction.show(as: output.format)
        if output.format == .text {
            try Console.print("test image \(index) of \(test.name) is: \(actual)")
        }
    }

    private func predictPhotos() throws {
        let loaded = try trained.loadForPhotos(head)
        let views = try views.views(for: loaded.preprocessing.size)
        if let seen { try ValidationError.checkIsPNG(seen) }
        let list = PhotoList(photos.images)
        if let seen { try OutputCheck.check(seen, reading: [loaded.model.path] + list.files) }
        let batchSize = photos.batchSize(for: list)
        let place = trained.place(loaded.model, loaded.network, batchSize: batchSize, compute)
        let executor = try loaded.model.executor(
            for: loaded.network, batchSize: batchSize, precision: place.precision, device: place.device)

        var report = PhotoReport(
            list.files, format: output.format, top: top, names: loaded.names, tta: self.views.tta?.text)
        var sheet: [ContactSheet.Item] = []
        for problem in list.problems { try report.fail(problem) }
        for batch in list.batches(loaded.preprocessing, batchSize: batchSize) {
            let logits = batch.images.map { views.logits(of: $0, by: executor) } ?? []
            try executor.checkDevice()
            try loaded.model.checkFinite(logits)
            try report.add(batch, logits: logits)
            if seen != nil, let images = batch.images {
                sheet += items(images, logits, loaded).prefix(Self.mostSeen - sheet.count)
            }
        }
        report.end()
        if let seen, !sheet.isEmpty {
            let scale = max(1, 84 / loaded.preprocessing.size)
            try AtomicFile.replace(
                seen, with: ContactSheet(sheet, columns: 8, scale: scale).bitmap().pngData())
        }
        if !report.problems.isEmpty { throw ExitCode.failure }
    }

    /// Pictures of the images that the network was given, and the likeliest class of each.
    private func items(_ images: ImageBatch, _ logits: [Float], _ loaded: LoadedModel) -> [ContactSheet.Item]
    {
        let classes = logits.count / images.count
        return (0..<images.count).map { place in
            let own = Array(logits[place * classes..<(place + 1) * classes])
            let best = Prediction(logits: own, names: loaded.names, top: 1).top.first
            return ContactSheet.Item(
                images[place..<place + 1].values[...], by: loaded.preprocessing, caption: best?.class ?? "")
        }
    }
}
